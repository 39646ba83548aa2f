"""Numbers in English words."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.verification.mathematics.worded import leading_number, number_in_words

NAMES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety
"""
MORE = "hundred thousand million and a an half halves third thirds second point minus negative plus"
SMALL, TENS = NAMES.split()[:20], NAMES.split()[20:]


def spelled(number: int, joint: str, conjunction: str) -> str:
    if number < 20:
        return SMALL[number]
    if number < 100:
        return TENS[number // 10 - 2] + (joint + SMALL[number % 10] if number % 10 else "")
    size, name = next(
        (size, name) for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")) if number >= size
    )
    rest = number % size
    before = "" if not rest else f" {conjunction} " if conjunction and rest < 100 else " "
    return f"{spelled(number // size, joint, conjunction)} {name}{before}" + (
        spelled(rest, joint, conjunction) if rest else ""
    )


@given(st.integers(0, 10**9 - 1), st.sampled_from("- "), st.sampled_from(["and", ""]), st.sampled_from(["", "minus "]))
def test_a_number_that_is_spelled_is_read(number: int, joint: str, conjunction: str, sign: str) -> None:
    assert number_in_words(sign + spelled(number, joint, conjunction)) == (-number if sign else number)


@given(st.lists(st.sampled_from([*SMALL, *TENS, *MORE.split()]), max_size=6))
def test_whatever_is_read_in_words_has_a_value_or_none(words: list[str]) -> None:
    text = " ".join(words)
    value = number_in_words(text)
    assert value is None or value >= 0 or words[0] in ("minus", "negative")
    leading_number(text)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    number_in_words(text)
    leading_number(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a hundred", 100), ("Twenty-One", 21), ("half", Fraction(1, 2)), ("a third", Fraction(1, 3)), ("third", 3),
        ("two thirds", Fraction(2, 3)), ("twenty-third", 23), ("twenty thirds", Fraction(20, 3)), ("twelfth", 12),
        ("two and a half", Fraction(5, 2)), ("three point one four", Fraction(157, 50)), ("nineteen hundred", 1900),
        ("four and five", None), ("one two", None), ("a", None), ("and", None), ("thousand", None), ("two third", None),
        ("minus", None), ("Negative", None),
        ("one hundred and", None), ("three point", None), ("a dozen", None), ("", None),
    ],
)  # fmt: skip
def test_values_of_words(text: str, value: Fraction | int | None) -> None:
    assert number_in_words(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-one students", (21, "students")), ("one half hour", (Fraction(1, 2), "hour")), ("third place", None),
        ("one second", (1, "second")), ("seven wonders of the old world", None), ("high five", None), ("seven", None),
    ],
)  # fmt: skip
def test_what_a_number_in_words_counts(text: str, value: tuple | None) -> None:
    assert leading_number(text) == value
