"""Sanitize texts for terminals, messages and logs: error texts of providers, hubs and servers, and any others.

Error texts may contain API keys, HTML pages, terminal control sequences, and any number of characters.

    >>> quoted("<html><body>Bad gateway</body></html>")
    'Bad gateway'
"""

import os
import re
import unicodedata

MAX_QUOTED = 300  # characters
MAX_READ = 20_000  # of the input; an HTML error page has its message near the beginning
MIN_SECRET_CHARS = 8  # characters; a shorter value could be an ordinary word
SECRET_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")  # of environment variables
LOOKS_SECRET = re.compile(r"\b(sk|key|Bearer)[-_ ][\w*-]{8,}")
TERMINAL = re.compile(  # control sequences with their payload, such as a window title
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.S
)
# What acts on a terminal instead of being shown: control characters but for newline and tab, marks that turn the
# direction of writing, and halves of pairs, which can't be encoded.
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PAGE = re.compile(r"\s*<(!doctype|html)\b", re.I)
TAGS = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", re.I | re.S)


def quoted(text: object, *secrets: str | None, most: int = MAX_QUOTED) -> str:
    """`text` on one line of at most `most` characters, without control characters, HTML tags and secrets.

    Secrets are `secrets` and the values of environment variables named like one (`SECRET_NAMES`); both full and partly
    masked occurrences, as providers echo them, are replaced by `***`.
    """
    words = TERMINAL.sub("", str(text)[:MAX_READ])
    if PAGE.match(words):
        words = f"<html> {TAGS.sub(' ', words)}"  # says that it was a page
    words = "".join(" " if char.isspace() else char for char in words if char.isspace() or _printable(char))
    words = " ".join(words.split())[: 4 * most]  # bounds the time of the search for secrets
    named = [value for name, value in os.environ.items() if SECRET_NAMES.search(name.upper())]
    for secret in {*filter(None, secrets), *named}:
        words = _without(words, secret)
    words = LOOKS_SECRET.sub("***", words)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def visible(text: str) -> str:
    """`text` with its lines as they are, and what would act on a terminal spelled out.

    >>> visible("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return ACTS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _printable(char: str) -> bool:
    """Whether it is no control, format (bidirectional override) or surrogate character."""
    return unicodedata.category(char)[0] != "C"


def _without(words: str, secret: str) -> str:
    if len(secret) < MIN_SECRET_CHARS or len(secret.split()) != 1:
        return words
    words = words.replace(secret, "***")
    first, last = (re.escape(part) for part in (secret[:4], secret[-4:]))
    start, end = (re.escape(part) for part in (secret[:6], secret[-6:]))
    more = r"[\w*.…-]{0,200}"
    whole_or_part = rf"{first}{more}{last}|{start}{more}|{more}{end}|{first}[*…]{more}|[*…]{more}{last}"
    return re.sub(whole_or_part, "***", words)
