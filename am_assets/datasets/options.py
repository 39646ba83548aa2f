"""Options of multiple choice: how they are shown and named, and the order of each sample of a benchmark.

A benchmark asks a question several times. Its options stand in another order each time, drawn by hash, so that neither
a habit of the model (it likes B) nor a seed of this machine decides a score.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

LETTERS = "ABCDEFGHIJ"  # those that verification reads as options
LABEL = r"\(?([A-J])\s?[).:\u3001\uff0e]"  # before an option, as in "B) Paris"
LED = rf"{LABEL}(?:(?<=\))|(?=\s|[^\x00-\x7f]))"
SHOWN = [re.compile(rf"^\s*{LED}", re.MULTILINE), re.compile(rf"(?:^|(?<=\s)){LED}")]  # on lines of their own; anywhere
# One option; several, glued or listed by commas and "and".
OPTION = re.compile(r"\(?([A-J])\)?")
GLUED = re.compile(r"[A-J]{2,10}")
LISTED = re.compile(r"\(?[A-J]\)?(?:(?: ?[,;、\uff0c] ?(?:and )?| and | ?& ?|和|与)\(?[A-J]\)?)+")


def shown(options: Sequence[str]) -> str:
    """
    >>> shown(["one", "two"])
    'A) one\\nB) two'
    """
    return "\n".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))


def letters(text: str) -> frozenset[str] | None:
    """The options that `text` names, if it names options alone: "B", "(B)", "AC", "A, C" and "A and C".

    >>> sorted(letters("C, A"))
    ['A', 'C']
    """
    glued = GLUED.fullmatch(text) and sorted(set(text)) == list(text)
    if OPTION.fullmatch(text) or LISTED.fullmatch(text) or glued:
        return frozenset(re.findall("[A-J]", text))
    return None


def shown_in(question: str) -> list[str]:
    """The options that a text shows from A on, on lines of their own or on one; none where it shows fewer than three.

    >>> shown_in("Which is odd? A. 2 B. 4 C. 5")
    ['2', '4', '5']
    """
    for label in SHOWN:
        _, *parts = label.split(question)
        labels, texts = "".join(parts[::2]), [one.strip() for one in parts[1::2]]
        if len(texts) > 2 and LETTERS.startswith(labels):
            return texts
    return []


def counted(answer: str, question: str) -> bool:
    """Whether an answer may be the number of an option that the question shows, and is none of the options itself."""
    options = shown_in(question) if answer.isdecimal() else []
    return bool(options) and int(answer) <= len(options) and answer not in options


def shuffled(options: Sequence[str], item_id: str, sample_index: int) -> tuple[list[str], str]:
    """The options, of which the first is right, in the order of a sample, and the letter that is right there."""

    def draw(at: int) -> str:
        return sha256(f"{item_id}/{sample_index}/{at}".encode()).hexdigest()

    order = sorted(range(len(options)), key=draw)
    return [options[at] for at in order], LETTERS[order.index(0)]
