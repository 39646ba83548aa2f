r"""Math verdicts: real answers, hostile answers, and the promise that the exact path never overrules algebra."""

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.instruments import Math
from am_assets.distillation.traces import split
from am_assets.verification.mathematics import equality, multiple_choice, phrases
from am_assets.verification.mathematics.boxes import boxed, uncommitted
from am_assets.verification.mathematics.extraction import results
from am_assets.verification.mathematics.normalization import normalize
from am_assets.verification.mathematics.retraction import is_asserted
from am_assets.verification.mathematics.spoken import spoken
from am_assets.verification.verifiers import math
from am_assets_tests.verification.math_pairs import ADVERSARIAL, judged, pairs

LIMITS = Math(timeout_seconds=2)


def verdicts(pairs: list[tuple[str, str | None]], limits: Math = LIMITS) -> list[tuple[str, str]]:
    """(verdict, reason) of each (reference, answer)."""
    references, answers = zip(*pairs, strict=True)
    jobs = pl.DataFrame(
        {"key": [str(i) for i in range(len(pairs))], "answer": answers, "reference": references},
        schema={"key": pl.String, "answer": pl.String, "reference": pl.String},
    )
    table = pl.concat(math.verify(jobs, limits))
    assert table["key"].to_list() == jobs["key"].to_list()
    return table.select(pl.col("verdict").cast(pl.String), "reason").rows()


RIGHT = [
    ("72", r"So she sold \boxed{72} clips."),
    ("72", "48 + 24 = 72\n#### 72"),
    ("72", "The answer is 72."),
    ("72", "**Answer:** 72"),
    ("72", "Altogether she sold 48 + 24 = 72 clips."),
    ("1,234", r"\boxed{1234}"),
    ("10 dollars", r"\boxed{\$10}"),
    ("5", "It is 4. Wait, that is wrong: it should be 5."),
    (r"\frac{1}{2}", r"the result is $\dfrac12$."),
    (r"\frac{1}{2}", r"\boxed{0.5}"),
    ("12", "The answer is:\n\\[\n12\n\\]"),
    ("x=5", r"\boxed{5}"),
    ("1, -2", r"$x = \boxed{-2}$ or $x = \boxed{1}$"),
    ("0.5", r"\boxed{1/2}, that is \boxed{0.5}"),
    (r"a + b + c", r"\boxed{c+b+a}"),
    (r"\$1,\!657", r"\boxed{1657.00}"),
    ("True", "The answer is True."),
    (r"\text{Friday}", r"\boxed{Friday}"),
    ("B", r"\boxed{\text{(B)}}"),
    ("B", "The answer is (B) 42."),
    ("1 6 0\n4 7 9", "1 6 0\n4 7 9"),
    ("no real solutions", r"\boxed{\text{There are no real solutions}}"),
    ("no real solutions", "There is no solution."),
    ("all real numbers", r"\boxed{\text{all reals}}"),
    ("all real numbers except 2", r"\boxed{(-\infty,2)\cup(2,\infty)}"),
    (r"x\ne 2", r"\boxed{\text{All real numbers except } x = 2}"),
    (r"\mathbb{R}\setminus\{-2,2\}", r"\boxed{\text{all real numbers except } 2 \text{ and } -2}"),
    ("35", r"\boxed{{7 \choose 3}}"),
    ("2", r"\boxed{\lg 100}"),
    ("(2,3),(4,5)", r"\boxed{x=4,y=5 \text{ or } x=2,y=3}"),
    ("(2,3),(4,5)", r"\boxed{\begin{cases}x=2\\y=3\end{cases}\text{ or }\begin{cases}x=4\\y=5\end{cases}}"),
    ("x=2,y=3; x=4,y=5", r"\boxed{(x,y)=(4,5),(2,3)}"),
    ("-3, 2", r"\boxed{x_1=2,x_2=-3}"),
    ("x_1=2, x_2=-3", r"\boxed{x=-3 \text{ or } x=2}"),
    (r"1+\sqrt2, 1-\sqrt2", r"\boxed{x_{1,2}=1\pm\sqrt2}"),
    (r"30^\circ", r"\boxed{\sin^{-1}\frac12}"),
    ("12", r"\boxed{(C) 12}"),
    (r"\frac17", r"\boxed{0.\dot{1}4285\dot{7}}"),
    (r"\frac73", r"\boxed{2.(3)}"),
    ("1500000", r"\boxed{\$1.5\text{ million}}"),
    (r"\$5 per hour", r"\boxed{\$5/\text{hour}}"),
    ("(1,2)", r"\boxed{[1,2]^{\top}}"),
    (r"\frac12", r"\boxed{\text{D. } 0.5}"),
    ("(3,4)", r"\boxed{B(3,4)}"),
    ("(1,2),(3,4)", r"\boxed{\begin{pmatrix}3\\4\end{pmatrix},\begin{pmatrix}1\\2\end{pmatrix}}"),
    ("(2,3)", r"\boxed{\left\{\begin{aligned}x&=2\\y&=3\end{aligned}\right.}"),
]
DIFFERENT = [
    ("72", r"\boxed{71}"),
    ("5", "The answer is 5. Wait, no, the answer is 7."),
    ("3", "The answer is 1, 2, 3 or 4."),
    ("24", r"\boxed{1 2 3 4}"),
    ("No", r"\boxed{Yes}"),
    ("True", r"\boxed{\text{False}}"),
    ("B", "The answer is C"),
    (r"\sqrt{2}", r"\boxed{\sqrt{3}}"),
    ("all real numbers", r"\boxed{\text{no real solutions}}"),
    ("5", r"\boxed{I don't know}, but maybe 5"),
    ("all real numbers except 2", r"\boxed{(-\infty,3)\cup(3,\infty)}"),
    ("all real numbers except 0", r"\boxed{\text{all real numbers}}"),
    (r"{7 \choose 3}", r"\boxed{34}"),
    (r"\lg 2", r"\boxed{\ln 2}"),
    ("(2,3),(4,5)", r"\boxed{x=2,y=5 \text{ or } x=4,y=3}"),
    ("x=2,y=3; x=4,y=5", r"\boxed{x=2,y=5; x=4,y=3}"),
    ("-3, 2", r"\boxed{x_1=2,x_2=3}"),
    ("(-3, 2)", r"\boxed{x_1=2,x_2=-3}"),
    ("12", r"\boxed{(C) 13}"),
    (r"\frac13", r"\boxed{0.\dot{4}}"),
    ("1500000", r"\boxed{\$15\text{ million}}"),
    ("12 per week", r"\boxed{12/day}"),
    ("(1,2)", r"\boxed{(2,1)^T}"),
    ("(3,4)", r"\boxed{B(4,3)}"),
    (r"30^\circ", r"\boxed{\cos^{-1}\frac12}"),
]
CONTRADICTORY = [
    ("2", r"\boxed{1} or \boxed{2} or \boxed{3}"),
    ("5", r"\boxed{5}. Wait, the answer is 7."),
    ("4", "(A) 1 (B) 2 (C) 3 (D) 4"),
    ("True", r"\boxed{True} \boxed{False}"),
]
MISSING = [("5", None), ("5", "  "), ("5", "I cannot tell.")]
UNTOLD = [
    ("the cat sat on the mat", r"\boxed{5}"),
    ("Monday", "So it might well be Monday, who knows"),
    ("1 6 0\n4 7 9", r"\boxed{6}"),  # a grid is no product
    ("B", r"\boxed{Paris}"),
    ("No", r"\boxed{on}"),
    ("", r"\boxed{5}"),
]


def test_answers_get_the_verdict_they_deserve():
    groups = {
        ("pass", "equal"): RIGHT,
        ("fail", "different"): DIFFERENT,
        ("fail", "several conflicting answers"): CONTRADICTORY,
        ("fail", "answer missing"): MISSING,
        ("unverifiable", "reference unparseable"): UNTOLD,
    }
    pairs = [pair for group in groups.values() for pair in group]
    wanted = [verdict for verdict, group in groups.items() for _ in group]
    given_ = verdicts(pairs)
    wrong = [(pair, got) for pair, got, want in zip(pairs, given_, wanted, strict=True) if got != want]
    assert wrong == []


def test_a_result_in_the_think_part_alone_is_no_answer():
    response = r"<think>It must be \boxed{5}.</think> <answer>I would rather not say.</answer>"
    trace = pl.DataFrame(
        {"response_id": ["r"], "question_id": ["q"], "response": [response], "finish_reason": ["stop"]}
    )
    answer = split(trace)["answer"][0]
    assert verdicts([("5", answer)]) == [("fail", "answer missing")]


@pytest.mark.alone
def test_a_hanging_row_costs_its_limit_and_no_neighbour():
    hanging = (r"x+5", r"\boxed{9^{9^{9^{9}}}}")
    neighbours = [(r"\frac{1}{2}", r"\boxed{0.5}")] * 8
    verdicts(neighbours)  # the workers' first start is not what is measured
    start = time.monotonic()
    told = verdicts([*neighbours, hanging, *neighbours], Math(timeout_seconds=1))
    assert told == [("pass", "equal")] * 8 + [("unverifiable", "timeout")] + [("pass", "equal")] * 8
    assert time.monotonic() - start < 8  # the limit, a new worker, and a busy machine


def test_rows_come_in_order_over_many_batches():
    pairs = [(str(i), rf"\boxed{{{i + (i % 2)}}}") for i in range(3 * math.BATCH + 1)]
    assert [v for v, _ in verdicts(pairs)] == ["fail" if i % 2 else "pass" for i in range(len(pairs))]


def test_no_rows_give_no_frames():
    assert (
        list(math.verify(pl.DataFrame(schema=dict.fromkeys(["key", "answer", "reference"], pl.String)), LIMITS)) == []
    )


def test_what_was_read_is_kept_for_a_person():
    jobs = pl.DataFrame({"key": ["a"], "answer": [r"So \boxed{\frac{1}{3}}"], "reference": ["5"]})
    assert next(math.verify(jobs, LIMITS))["extracted"].item() == r"\frac{1}{3}"


@pytest.mark.parametrize(
    ("answer", "contents", "open_ended"),
    [
        (
            r"\boxed{1}, \fbox{2}, \framebox[3cm]{3}, \boxed 4 and \boxed\frac12",
            ["1", "2", "3", "4", r"\frac12"],
            False,
        ),
        (r"\boxed{42} and \boxed{", ["42"], True),
        (r"\boxed{42} and \boxed{\text{ }}", ["42"], True),
        (r"\boxed{42} and \boxed{?}", ["42"], True),
        (r"\boxed{42}. Always use \boxed{}.", ["42"], False),
        (r"$2 + \boxed{\phantom{3}} = 5$ gives \boxed{3}", ["3"], False),
        (r"\boxed{\{1, 2\}}", [r"\{1, 2\}"], False),
        ("no box", [], False),
    ],
)
def test_a_box_holds_a_result_or_leaves_the_answer_open(answer, contents, open_ended):
    assert boxed(answer)[0] == contents
    assert (uncommitted(answer) is not None) is open_ended


def test_an_answer_that_ends_in_an_empty_box_is_missing():
    empty = [r"\boxed{42}, finally \boxed{}", r"\boxed{42}, finally \boxed{", r"\boxed{42}, finally \boxed{?}"]
    assert verdicts([("42", answer) for answer in empty]) == [("fail", "answer missing")] * 3
    assert verdicts([("42", r"\boxed{41}, \boxed{}. The answer is 42.")]) == [("pass", "equal")]


@pytest.mark.parametrize(
    ("result", "reference", "told"),
    [
        ("Converges", "the sequence is convergent", True),
        ("the series diverges", "convergent", False),
        ("the first series diverges", "the second series diverges", None),
        ("yes", "True", True),
        ("无解", r"\emptyset", True),
        ("no solution", "all real numbers", False),
        ("no solution", "does not exist", None),
        ("sometimes true", "true", None),
        ("Alice Smith", "Alice", True),
        ("Alice and Bob", "Alice", None),
        ("the red ball", "red", True),
        ("red ball and blue ball", "red", None),
        ("a circle", "a parabola", None),
    ],
)
def test_words_are_the_same_opposite_or_untold(result, reference, told):
    assert phrases.same(result, reference) is told


def test_no_phrase_has_two_meanings():
    said = [phrase for row in phrases.SAME.replace("\n", ";").split(";") if (phrase := row.strip().casefold())]
    assert len(said) == len(set(said))


def test_letters_that_answer_a_box_on_the_way_decide_over_it():
    told = verdicts(
        [("D", r"\boxed{x=3}. Answer: D"), ("D", r"\boxed{x=3}. Answer: C"), ("3", r"\boxed{3}. Answer: D")]
    )
    assert [verdict for verdict, _ in told] == ["pass", "fail", "pass"]


def test_the_result_is_one_word_to_the_rules_of_doubt():
    assert spoken(r"$ or $50\%$, not $\frac{2}{4}$.", r"\frac{1}{2}", "number") == "RESULT or RESULT, not RESULT."
    assert spoken(". Option B isn't (C).", "B", "option") == "RESULT. Option RESULT is not OPTION_C."
    assert spoken("$.", "1e999999999", "number") == "RESULT."


@pytest.fixture(scope="module")
def labelled() -> pl.DataFrame:
    return judged(pairs(), Math())


def test_no_hostile_answer_passes(labelled):
    hostile = labelled.filter(pl.col("category").is_in(ADVERSARIAL))
    wrong = hostile.filter(~pl.col("equal"))
    assert wrong.height >= 80 and hostile["category"].n_unique() == len(ADVERSARIAL)
    assert wrong.filter(pl.col("verdict") == "pass")["id"].to_list() == []


def test_labelled_pairs_are_told_as_they_are_labelled(labelled):
    assert labelled.filter(~pl.col("right"))["id"].to_list() == []


def test_the_exact_path_agrees_with_algebra_where_both_can_speak():
    """On every labelled pair, and on the rows above."""
    given_ = [*pairs().select("reference", "answer").iter_rows(), *RIGHT, *DIFFERENT, *CONTRADICTORY]
    apart, both = [], 0
    for reference, answer in given_:
        found = results(answer or "")
        for one in math.references(reference):
            exact = None if multiple_choice.is_choice(one) else math.settle(found, answer, one)
            if exact and exact[1] != "answer missing" and answer and normalize(one):
                algebra = equality.judge(found, answer, one)
                both += 1
                if exact[0] != algebra[0]:
                    apart.append((one, answer, exact, algebra))
    assert apart == [] and both > 200


@pytest.mark.parametrize(
    ("reference", "several"),
    [
        ('{"any_of": ["1/2", "one half"]}', ["1/2", "one half"]),
        ('{"any_of": []}', ['{"any_of": []}']),
        ('{"any_of": [1]}', ['{"any_of": [1]}']),
        ('{"any_of": ["a"', ['{"any_of": ["a"']),
        (" 5 ", ["5"]),
        (None, [""]),
    ],
)
def test_a_reference_may_be_several(reference, several):
    assert math.references(reference) == several


@pytest.mark.alone
@given(st.text(st.sampled_from("the answer is 5 or 4.?!\n\"'`*$\\{}boxed not if,(+-"), max_size=3_000))
def test_doubt_is_told_of_any_text_and_soon(text):
    start = time.perf_counter()
    is_asserted(rf"\boxed{{x+1}}. {text}")
    is_asserted(text)
    assert time.perf_counter() - start < 1


@pytest.mark.alone
@pytest.mark.parametrize(
    "text",
    [
        "The sum of 1 and 2 is 3. " * 200_000 + r"\boxed{7}",  # 5 MB
        r"\boxed{7} " + "x = 1\n" * 200_000,
        r"\boxed{7} " * 10_000,
        r"\boxed{7} " + "the answer: 7 " * 50_000,
        "####" * 50_000 + " 7",
    ],
    ids=["megabytes", "lines", "boxes", "statements", "marks"],
)
def test_a_long_answer_takes_time_by_its_length(text):
    start = time.process_time()
    math.settle_all(text, "8")
    is_asserted(text)
    assert time.process_time() - start < 8


numbers = st.decimals(-10_000, 10_000, places=3, allow_nan=False).map(lambda d: f"{d:f}") | st.integers().map(str)


@given(numbers)
def test_a_number_equals_its_other_spellings(number):
    grouped = f"{int(number):,}" if "." not in number else number + "0"
    for spelling in (grouped, f"${number}$", rf"\boxed{{{number}}}", rf"The answer is **{number}**."):
        assert math.settle(results(spelling) or [spelling], spelling, number) == (
            "pass",
            "equal",
            results(spelling)[-1],
        )


@given(st.text("\\boxed{}text$#A(), 1answeris:\n", max_size=300))
def test_reading_never_fails_and_normal_forms_are_stable(text):
    for result in results(text):
        assert normalize(normalize(result)) == normalize(result) or "\\" in result or "{" in result
