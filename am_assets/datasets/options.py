"""Options of multiple choice: how they are shown, and the order of each sample of a benchmark.

A benchmark asks a question several times. Its options stand in another order each time, drawn by hash, so that neither
a habit of the model (it likes B) nor a seed of this machine decides a score.
"""

from collections.abc import Sequence
from hashlib import sha256

LETTERS = "ABCDEFGHIJ"  # those that verification reads as options


def shown(options: Sequence[str]) -> str:
    """
    >>> shown(["one", "two"])
    'A) one\\nB) two'
    """
    return "\n".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))


def shuffled(options: Sequence[str], item_id: str, sample_index: int) -> tuple[list[str], str]:
    """The options, of which the first is right, in the order of a sample, and the letter that is right there."""

    def draw(at: int) -> str:
        return sha256(f"{item_id}/{sample_index}/{at}".encode()).hexdigest()

    order = sorted(range(len(options)), key=draw)
    return [options[at] for at in order], LETTERS[order.index(0)]
