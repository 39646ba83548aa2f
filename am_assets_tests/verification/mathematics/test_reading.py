r"""What a result string is read as, and what the units in it are."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.verification.mathematics.notation import clean
from am_assets.verification.mathematics.quantities import quantity
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.values import Group, Named, Numeral, Range, Ratio, Region, Term, Void, Words


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("3√2", r"3\sqrt{2}"),
        ("(1+sqrt(5))/2", r"(1+\sqrt{5})/2"),
        ("x²+½", r"x^{2}+\frac{1}{2}"),
        ("-1 1/2", r"-(1+\frac{1}{2})"),
        (r"2\dfrac23", r"(2+\frac{2}{3})"),
        (r"x^2\frac12", r"x^{2}\frac{1}{2}"),
        ("2.5E6", r"2.5\times 10^{6}"),
        (r"11,\! 111,\! 100", "11111100"),
        ("\uff11\uff12\uff05", "12%"),
        (r"12^{\text{th}}", "12"),
        ("]1,3]", "(1,3]"),
        ("C(10,3)", r"\binom{10}{3}"),
        ("no solution", r"\emptyset"),
        (r"\mathbf{1 8}", "18"),
        ("seven", "7"),
        ("5 apples and 3 pears", r"5 \text{apples} \text{and} 3 \text{pears}"),
    ],
)
def test_notation_has_one_spelling(text, spelled):
    assert clean(text) == spelled


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("3x+1", [Term]),
        ("2413_5", [Numeral]),
        ("3:5", [Ratio]),
        ("1,234", [Term, Group]),
        ("(1,234)", [Group]),
        ("1, 10,100", [Group, Group]),
        ("1,10,100", [Group]),
        (r"1,2,\ldots,n", [Range]),
        ("0<x<5", [Region]),
        ("x=2, y=5", [Named]),
        ("2+2=5", [Void]),
        ("0=0", [Void]),
        ("2+3=5", [Term]),
        (r"\text{the cat}", [Words]),
        ("", []),
    ],
)
def test_a_result_is_read_as_what_it_is(text, kinds):
    assert [type(value) for value in readings(text)] == kinds


@pytest.mark.parametrize(
    ("text", "number", "unit", "noun"),
    [
        ("12 cm", "12", ("length", Fraction(1, 100)), ""),
        (r"36\pi \text{ cm}^3", r"36\pi", ("length^3", Fraction(1, 10**6)), ""),
        ("24 square meters", "24", ("length^2", Fraction(1)), ""),
        ("180 km/h", "180", ("length time^-1", Fraction(5, 18)), ""),
        (r"5 \text{ kJ}", "5", ("length^2 mass time^-2", Fraction(10**6)), ""),
        (r"9.8\ \text{m/s}^2", "9.8", ("length time^-2", Fraction(1)), ""),
        (r"\$3 \text{ million}", "3", ("dollar", Fraction(10**6)), ""),
        ("10 dollars in total", "10", ("dollar", Fraction(1)), "in total"),
        ("12元", "12", ("yuan", Fraction(1)), ""),
        ("5 apples", "5", None, "apples"),
        ("5 square units", "5", None, ""),
    ],
)
def test_a_quantity_is_its_number_its_unit_and_its_noun(text, number, unit, noun):
    assert quantity(clean(text)) == (number, unit, noun)


@pytest.mark.parametrize("text", ["$18$", "3m", "xy", "5 less than x", r"3 \text{ squared}"])
def test_what_has_no_unit_is_no_quantity(text):
    assert quantity(clean(text)) is None


PIECES = r"\frac{ ( { } ) 1 2, sqrt( \text{ a ^( \left [ ] $"


@pytest.mark.alone
@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES.split()), max_size=1_000).map("".join))
def test_spelling_any_text_takes_no_time(text):
    start = time.perf_counter()
    clean(text[:2_000])
    assert time.perf_counter() - start < 1
