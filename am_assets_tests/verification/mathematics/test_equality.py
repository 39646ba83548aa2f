r"""When two results are equal: laws that hold of any, and tables of right and wrong ones beside each other.

`math_pairs.jsonl` has many more of each kind, judged through whole answers.
"""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.config.instruments import Math
from am_assets.verification.mathematics.comparing import Within
from am_assets.verification.mathematics.equality import compare
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.told import Told, any_of
from am_assets.verification.verifiers import math

numbers = st.fractions(-10_000, 10_000, max_denominator=500)
tiny = st.tuples(st.integers(1, 9_999), st.integers(-60, 60)).map(
    lambda drawn: Fraction(drawn[0]) * Fraction(10) ** drawn[1]
)


def same_results(one: str, other: str) -> Told:
    """Do two result strings mean the same, in any of the readings that they have?"""
    return any_of([Within().values(a, b) for a in readings(one) for b in readings(other)])


def spellings(value: Fraction) -> list[str]:
    """The same number, written differently."""
    over, under = value.numerator, value.denominator
    whole, rest = divmod(abs(over), under)
    sign = "-" if value < 0 else ""
    found = [rf"\frac{{{over}}}{{{under}}}", f"{over}/{under}", rf"\dfrac{{{2 * over}}}{{{2 * under}}}"]
    found += [rf"{sign}{whole}\frac{{{rest}}}{{{under}}}", f"{sign}{whole} {rest}/{under}"] if whole and rest else []
    found += [str(over), f"${over}.0$", rf"{over} \text{{ apples}}", f"x = {over}"] if under == 1 else []
    return found


@given(numbers, st.data())
def test_a_number_equals_each_of_its_spellings(value, data):
    one, other = (data.draw(st.sampled_from(spellings(value))) for _ in range(2))
    assert same_results(one, other) is True


@given(numbers | tiny, numbers | tiny, st.data())
def test_different_numbers_are_never_equal(one, other, data):
    texts = [data.draw(st.sampled_from(spellings(value))) for value in (one, other)]
    assert same_results(*texts) is (one == other)


@given(tiny, st.integers(1, 10**6))
def test_no_difference_is_too_small_to_count(value, parts):
    near = value * (1 + Fraction(1, parts * 10**12))
    assert same_results(spellings(value)[0], spellings(near)[0]) is False


PIECES = r"""
0 1 2 7 x y n + - = < > ( ) [ ] { } , . : ; / ^ _ | \pm \frac \cup \{
\} \infty \ldots \approx \% ^\circ \in cm or
"""
SPOKEN = st.lists(st.sampled_from(PIECES.split()), max_size=10).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(SPOKEN)
def test_any_result_equals_itself(text):
    assert compare(text, text) is True


@settings(max_examples=60, deadline=None)
@given(SPOKEN, SPOKEN)
def test_equality_goes_both_ways(one, other):
    assert same_results(one, other) is same_results(other, one)


# Reference, what equals it, what does not, and (if anything) what cannot be told.
TABLE = [
    ("1.6e-19", [r"1.6\times 10^{-19}"], [r"1.6\times 10^{-20}", "0", r"9.1\times 10^{-31}"], []),
    (r"\frac{1}{3}", ["1/3", r"\frac13 \approx 0.33", r"0.\overline{3}"], ["0.333333333", r"\frac25 \approx 0.4"], []),
    ("2413_5", ["2413", "(2413)_5", r"2413_{\text{base }5}", "358_{10}"], ["2413_6", "2414_5"], ["358"]),
    ("2 2/3", [r"\frac83", r"2\frac{2}{3}"], [r"\frac43", "2"], []),
    (r"x=0, x=1\pm\sqrt2", [r"0, 1+\sqrt2, 1-\sqrt2"], ["1", "0", r"x=0, x=1\pm\sqrt3"], []),
    ("R=1, I=(-1,1)", ["I=(-1,1), R=1"], ["R=1, I=(5,7)", "1"], []),
    ("x=2, y=3", ["2, 3", "(2,3)", r"\begin{cases}x=2\\y=3\end{cases}"], ["3, 2", "x=3, y=2"], ["x=2, y=3, z=1"]),
    ("x=3", ["3"], ["y=4"], ["y=3"]),
    ("(0,100)", ["(0, 100)", "0<x<100"], ["100", "[0,100]", r"\{0,100\}"], ["0, 100"]),
    ("1,234", ["1234", "1, 234"], ["1235", "(1,235)"], ["(1,234)"]),
    ("x^2+2=0", ["2x^2+4=0"], ["x^2+1=0", "0=0"], []),
    (r"\log_{36}216=\frac32", ["1.5"], [r"\log_6\frac1{36}=-2"], []),
    ("A^2", ["AA"], ["a^2"], []),
    (r"5 \text{ kJ}", ["5000 J", "5"], [r"5 \text{ J}", r"5 \text{ kg}"], [r"5 \text{ apples}"]),
    ("3 hours 20 minutes", ["200 min", r"3\text{ h } 20\text{ min}"], ["3 h 25 min", "2 hours 20 minutes"], []),
    (r"30^\circ 15'", [r"30.25^\circ", r"30^{\circ}15^{\prime}", "30.25"], [r"30.15^\circ", r"30^\circ 25'"], []),
    (r"\frac{\pi}{3}", [r"60^\circ"], [r"30^\circ", "60"], []),
    ("28%", ["28", "0.28", "28 percent"], ["2.8%", "280%", "0.028"], []),
    ("0.5", [r"50\%"], [r"5\%"], [r"0.5\%"]),
    (r"\{3,6,\ldots,30\}", [r"\{3,6,9,\ldots,30\}"], [r"\{3,9,\ldots,30\}"], []),
    (r"1,4,\ldots,n^2", [r"1,4,\dots,n^2"], ["1"], [r"1,4,9,\ldots,n^2"]),
    (r"(-\infty,-1)\cup(3,\infty)", [r"x<-1\text{ or }x>3"], [r"x\le-1\text{ or }x>3", "x>3"], []),
    (r"\begin{cases}x&x>0\\-x&x\le0\end{cases}", [r"\begin{cases}-x,&\text{if }x\leq 0\\x,&\text{if }x>0\end{cases}"],
     [r"\begin{cases}x&x>0\\x&x\le0\end{cases}", "x"], [r"\begin{cases}x&x>0\\0&x=0\\-x&x<0\end{cases}"]),
    (r"-\mathbf{i}+2\mathbf{j}", ["(-1,2)", r"2\mathbf{j}-\mathbf{i}"], ["(2,-1)", r"2\mathbf{i}-\mathbf{j}"], []),
    ("2x+4y=6", [r"y=-\frac12x+\frac32"], ["2x+4y=7"], []),
    (r"2k+1, k\in\mathbb{Z}", ["2k+1"], ["2k"], ["2k+1, k > 3"]),
    (r"x=2\pi n, n\in\mathbb{Z}", [r"2k\pi, k \in \Z", r"\{2\pi m \mid m\in\mathbb{Z}\}", r"x=2\pi k"],
     [r"2\pi", r"2\pi x", r"x=k\pi, k\in\mathbb{Z}"], []),
    (r"x=-\frac{\pi}{4}+k\pi, k\in\mathbb{Z}", [r"x=\frac{3\pi}{4}+n\pi \text{ for any integer } n"],
     [r"x=\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{3\pi}{4}+2n\pi, n\in\mathbb{Z}"], []),
    ("2n+1", [], ["2x+1", "2k"], ["2k+1"]),
    (r"y=C_1e^x+C_2e^{-x}", [r"y=C_2e^{-x}+C_1e^x", r"y=Ae^x+Be^{-x}"], [r"y=Ae^{2x}+Be^{-x}", r"y=Ae^x+Ae^{-x}"], []),
    ("Ae^{2x}", ["Ce^{2x}"], ["Ce^{3x}", "xe^{2x}"], ["Be^{2x}"]),
    ("Ax+b", [], ["Ax"], ["Cx+b"]),
    (r"\sqrt{\frac{2h}{g}}", [r"\left(2h/g\right)^{1/2}"], [r"\sqrt{2hg}"], [r"\frac{\sqrt{2hg}}{g}"]),
    (r"\arctan 2", [r"\frac{\pi}{2}-\arctan\frac12", r"\operatorname{arctg} 2"], [r"\frac{\pi}{2}-\arctan\frac13"], []),
    ("f(x)=x^2+1", ["f(t)=t^2+1"], ["f(t)=t^2-1", "f(t)=x^2+1"], ["g(x)=x^2+1"]),
    ("x<1 or x=5", [r"(-\infty,1)\cup\{5\}"], ["x<1"], []),
    ("x=2 or y=3", [], [], ["x=2, y=3", "(2,3)"]),
    (r"(k,k), k\in\mathbb{Z}", [r"(n,n), n\in Z", r"(1-k,1-k), k\in\mathbb{Z}"],
     [r"(k,-k), k\in\mathbb{Z}", r"(k,k+1), k\in\mathbb{Z}"], []),
    (r"f(x)=ax+b, a,b\in R", [r"f(x)=cx+d, c, d\in\mathbb{R}"], [r"f(x)=ax+a, a\in R"], []),
    (r"a_n=2n-1 (n\in N^*)", ["2n-1", r"a_n=2n-1, n\in\mathbb{Z}^+"], ["2n+1"], []),
    ("y=x^2 (x>0)", ["y=x^2, x>0", r"y=x^2 \text{ for } x>0"], ["y=x^3, x>0", "y=2x"], ["y=x^2 (x<0)", "y=x^2"]),
    (r"n \equiv 1,3 \pmod 8", [r"n\equiv 3 \pmod 8 \text{ or } n\equiv 1\pmod 8", "8k+1, 8k+3"], [r"n\equiv 1 \pmod 8"],
     ["1"]),
    ("A(1,2), B(3,4)", ["B(3,4), A(1,2)", "(1,2),(3,4)"], ["A(3,4), B(1,2)"], ["A(1,2)"]),
    (r"5 \text{ m/s upward}", ["5 m/s"], [r"5 \text{ m/s downward}"], []),
    (r"p\wedge\neg q", [r"p\land\lnot q"], [], [r"p\vee\neg q"]),
    (r"\lfloor n/2\rfloor", [r"\left[\frac n2\right]"], [r"\left[\frac n3\right]"], []),
    (r"\text{pH}=4.7", ["4.7"], [], [r"\text{pOH}=4.7"]),
    ("y=2x", ["f(x)=2x", "f^{-1}(x)=2x"], [], ["f'(x)=2x"]),
    ("(1) 5 (2) 7", ["(1) 5; (2) 7", "5, 7"], ["(1) 7 (2) 5", "35"], []),
    (r"\frac34 (0.75)", ["3/4", r"75\%"], ["4/3"], []),
    ("3:5", ["6:10", "3/5"], ["5:3"], []),
    ("5:1", ["10:2"], ["1:5"], ["5"]),
    ("2h15m", ["135 min", "2 hours 15 minutes", "2.25 h"], ["2h51m", "2h15s"], ["2:15"]),
    ("12 см²", [r"12\text{ cm}^2", "12 кв. см", "12"], ["12 м²", "12 см", "12 кг"], []),
    ("2 out of 3", ["2/3"], ["3/2", "2"], []),
    (r"\$12 million", ["12000000"], [r"\$12"], ["12"]),
    (r"\int_0^1 x\,dx=\frac12", ["1/2", r"\int_0^1 x\,dx=0.5"], ["1"], [r"\int_1^2 (x-1)\,dx=\frac12"]),
    (r"\int_0^1 xdx=\frac12", ["0.5", r"\int_0^1x\,\mathrm{d}x=\frac12"], ["2"], []),
    (r"\oint F\cdot d\vec{r}=2\sqrt\pi", [r"2\sqrt{\pi}"], [r"2\pi"], []),
    (r"\frac{dy}{dx}=3x^2", ["3x^2"], ["x^3", r"\frac{dy}{dx}=x^3", r"y'=3x"], [r"\frac{dx}{dy}=3x^2", "y=3x^2"]),
    (r"\frac{dy}{dx}+2y=6x", [], ["x"], ["6x"]),
    ("f^{-1}(x)=2x+1", ["2x+1"], ["2x"], []),
    ("P(X>2)=0.3", ["3/10"], ["0.2"], []),
    ("a+b=7", [], ["8"], ["7"]),
    ("x^2=25", ["2x^2=50"], ["25", "5"], []),
    (r"\frac{x^2}{2}+C", [r"\frac12x^2", r"\frac{x^2}{2}+C+0"], [r"\frac13x^2+C", r"\frac{x^2}{2}+7"], []),
    ("12 chickens, 18 rabbits", ["12, 18", "18 rabbits and 12 chickens"], ["18 chickens, 12 rabbits"], []),
    (r"\sqrt{ab}", [r"\sqrt a\sqrt b"], [r"\sqrt{a+b}"], []),
    (r"\sqrt[3]{\theta}", [r"\sqrt[3]\theta"], [r"\sqrt\theta"], []),
    (r"\sqrt{x^2}", ["|x|"], ["x"], []),
    ("7", ["a+b=7", r"2+5=7"], ["a+b=8", "3+5=7", "x>7"], ["2x=7"]),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "equal", "different", "untold"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_equal_what_is_not_and_what_cannot_be_told(reference, equal, different, untold):
    told = {True: equal, False: different, None: untold}
    wrong = [(one, want) for want, several in told.items() for one in several if compare(reference, one) is not want]
    assert wrong == []


def test_two_numbers_may_differ_by_the_tolerance_of_the_instrument_and_by_nothing_without():
    rows = [
        (r"\pi", "3.14"),
        ("9.81 m/s^2", "9.8"),
        ("(1,2)", "(1.001,2)"),
        ("1000", "1001"),
        ("1000", "1100"),
        ("x^2", "1.001x^2"),
    ]
    answers = [rf"\boxed{{{answer}}}" for _, answer in rows]
    jobs = pl.DataFrame({"key": answers, "answer": answers, "reference": [reference for reference, _ in rows]})
    passed = [
        pl.concat(math.verify(jobs, Math(relative_tolerance=tolerance)))["verdict"].eq("pass").to_list()
        for tolerance in (0.01, None)
    ]
    assert passed == [[True, True, True, True, False, False], [False] * 6]
    keys = [math.VERIFIER.with_job_keys(jobs, Math(relative_tolerance=one))["key"][0] for one in (0.01, None)]
    assert keys[0] != keys[1]
