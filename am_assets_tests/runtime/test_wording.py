"""Counts agree with their nouns: "1 row", "2 rows", and nowhere "1 rows"."""

import ast
import re
from pathlib import Path

import pytest

import am_assets
from am_assets.runtime.wording import counted

ROOT = Path(am_assets.__file__).parent
NOUNS = re.compile(
    r"answer|attempt|benchmark|byte|case|character|comparison|device|file|id|incident|item|machine|message|model|pair"
    r"|partition|question|recipe|record|request|response|row|run|sample|sequence|shard|step|token|training|variant"
    r"|vector|word"
)
PLURAL = re.compile(rf" (?:[a-z]+ )?(?:{NOUNS.pattern})s\b(?!/)")
COUNT = re.compile(r".*(?:len\(|\.height|\bcount|:,)")  # what is counted; other figures are limits and settings


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_000, "1,000 rows"), (-1, "-1 rows")]
)
def test_a_count_has_its_noun(number: int, words: str) -> None:
    assert counted(number, "row") == words


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(n, "query", "queries") for n in (1, 2)] == ["1 query", "2 queries"]


def written_out(code: str) -> list[tuple[int, str]]:
    """The counts in f-strings that have a noun in the plural behind them, whatever they are: line and text."""
    pairs = [
        (count.lineno, ast.unparse(ast.JoinedStr([count])), words.value)
        for text in ast.walk(ast.parse(code))
        if isinstance(text, ast.JoinedStr)
        for count, words in zip(text.values, text.values[1:], strict=False)
        if isinstance(count, ast.FormattedValue) and isinstance(words, ast.Constant)
    ]
    return [(line, of + words[:40]) for line, of, words in pairs if PLURAL.match(words) and COUNT.match(of)]


def test_no_command_table_or_message_writes_a_plural_of_its_own() -> None:
    found = {file: at for file in ROOT.rglob("*.py") if (at := written_out(file.read_text()))}
    told = [f"{file.relative_to(ROOT)}:{line}: {text}" for file, at in found.items() for line, text in at]
    assert not told, "use runtime/wording.counted: " + "; ".join(told)


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('f"{n:,} rows"', 1),
        ('f"{len(x)} new rows of {y}"', 1),
        ("f\"{counted(n, 'row')} of {y}\"", 0),
        ('f"{rows} rows/s"', 0),
        ('f"{LIMIT} rows"', 0),
    ],
)
def test_the_law_sees_plurals_and_nothing_else(code: str, count: int) -> None:
    assert len(written_out(code)) == count
