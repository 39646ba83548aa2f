"""Tags that a response mentions: quoted, or within code. They are text, and told from those that part it.

Only for responses that are ill-formed by their tags as they stand, and for answers that seem to go on.
"""

import re

from am_assets.datasets.delimiters import FAMILIES, MORE

MARK = "\ufdd0"  # a character that no text has, within a tag that is text
FENCE = re.compile(r"(?:^|(?<=[>\]▷]))[ \t]*(?:`{3,}|~{3,})[^`\n]*$", re.M)
CODE = re.compile(r"(?<![`A-Za-z0-9_])(`+)[^`\n]+\1(?!`)")
_TAGS = [*(tag for one in FAMILIES for tag in one[:4]), *MORE]
_TAG = "|".join(sorted(map(re.escape, _TAGS), key=len, reverse=True))
TAG = re.compile(_TAG)
# An opening quote stands behind no word: `"yes"</think>"Yes"` quotes no tag.
QUOTED = re.compile(
    rf"(?<![A-Za-z0-9_.!?])(?P<quote>[\"'])(?:{_TAG})(?:[^\n\"']{{0,80}}(?:{_TAG}))?(?P=quote)"
    rf"|[“\u2018«「『](?:{_TAG})(?:[^\n]{{0,80}}?(?:{_TAG}))?[”\u2019»」』]"
)


def marked(text: str) -> str:
    """`text` with MARK within each tag that it mentions."""
    text = _fences(text)
    text = "\n".join(CODE.sub(_marked, line) if line.count("`") % 2 == 0 else line for line in text.split("\n"))
    return QUOTED.sub(_marked, text)


def _fences(text: str) -> str:
    """Fenced blocks, where each that begins ends: what follows one that does not may be anything."""
    places = [line.span() for line in FENCE.finditer(text)]
    if len(places) % 2:
        return text
    said, done = [], 0
    for (start, _), (_, end) in zip(places[::2], places[1::2], strict=True):
        said += [text[done:start], TAG.sub(_marked_tag, text[start:end])]
        done = end
    return "".join([*said, text[done:]])


def _marked(found: re.Match[str]) -> str:
    return TAG.sub(_marked_tag, found[0])


def _marked_tag(tag: re.Match[str]) -> str:
    return f"{tag[0][0]}{MARK}{tag[0][1:]}"
