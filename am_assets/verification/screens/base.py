"""A screen: what it looks for in which parts of a row, and how a suspicion is confirmed."""

from collections.abc import Callable
from dataclasses import dataclass

PIECE, OVERLAP = 2_000, 200  # characters: longer lines are cut, so that the time of `confirm` is bounded
ANSWERED = ("think", "answer")
EVERYWHERE = ("question", *ANSWERED)


@dataclass(frozen=True)
class Screen:
    """One of `config.vocabulary.SCREENS`.

    hints    regular expressions of Polars, whose time is linear in the text whatever it holds; most texts have none
    confirm  of a piece of the text, at most PIECE characters: what is shown of a finding, which never holds a key, an
             address or a number in full; None for a false alarm
    lines    whether a piece is a line with a hint, or a hint by itself
    prose    whether code (fenced, quoted by backticks, answers to questions with tests) is left out
    """

    name: str
    parts: tuple[str, ...]
    hints: tuple[str, ...]
    confirm: Callable[[str], str | None]
    lines: bool = True
    prose: bool = False
