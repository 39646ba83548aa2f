"""How items are asked, and what of an answer counts."""

import polars as pl
import pytest

from am_assets.config.instruments import Code, Math
from am_assets.evaluation.asking import asked, committed, compared, limits
from am_assets.verification.verifiers.math import settle_all

ITEM = {"item_id": "x", "question": "Which?", "options": None, "starter": None, "prompt": None}
OPTIONS = ["no reaction", "an increase", "a decrease", "CH3CH2OH"]


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("Thinking.\n\nAnswer: B", "B"),
        ("**Answer:** (B)", "B"),
        ("Answer: $\\boxed{B}$.", "B"),
        ("answer: B) no reaction", "B"),
        ("The correct answer is (B) no reaction.", "B"),
        ("Answer: A\n\nNo, that is wrong.\n\n**Answer: B**", "B"),
        ("Answer: B\n\nFor A is ruled out.", "B"),
        ("The answer is not A.\nAnswer: B", "B"),
        ('Answer: "B"', "B"),
        ("Answer: [B]", "B"),
        ("Answer: <B>", "B"),
        ("Answer\uff1aB", "B"),
        ("Answer: B \u2013 it is the larger one", "B"),
        ("Answer: B) A", "B"),
        ("Answer: B) vitamin A and vitamin C", "B"),
        ("Answer: (A) or (B)", None),
        ("Answer: A) and B)", None),
        ("Answer: (A), (B)", None),
        ("Answer: (A) or maybe (B).", None),
        ('Answer: "A" or "B"', None),
        ("Answer: [A, B]", None),
        ("Answer: [A][B]", None),
        ("Answer: A \u2013 B", None),
        ("Answer: A decrease by half", None),
        ("Answer: none", None),
        ("The answers: A and B", None),
    ],
)
def test_of_options_the_letter_behind_the_last_answer_counts(answer: str, letter: str | None) -> None:
    assert committed(answer, chosen=True) == (f"Answer: {letter}" if letter else answer)
    assert committed(answer, chosen=False) == answer


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        (
            "First \\boxed{3}.\n\nSo it is $\\boxed{5}$. I hope it is correct",
            "So it is $\\boxed{5}$. I hope it is correct",
        ),
        ("\\boxed{3}\n\\[\n\\boxed{5}\n\\]", "\\boxed{5}\n\\]"),
        ("\\boxed{3} or \\boxed{5}", "\\boxed{3} or \\boxed{5}"),
        ("\\boxed{5}\nIt is not 3.", "\\boxed{5}\nIt is not 3."),
        ("It is 5.", "It is 5."),
    ],
)
def test_of_boxes_in_several_lines_the_last_one_counts(answer: str, rest: str) -> None:
    assert committed(answer, chosen=False) == rest


@pytest.mark.parametrize("sample", range(6))
def test_an_option_is_right_by_its_letter_in_that_sample_and_by_its_text(sample: int) -> None:
    text = asked(ITEM | {"options": OPTIONS}, sample)
    letters = {line[3:]: line[0] for line in text.splitlines() if line[1:3] == ") "}
    for option in OPTIONS:
        said = {"letter": f"Answer: {letters[option]}", "both": f"Answer: {letters[option]}) {option}"}
        said |= {"text": f"\\boxed{{\\text{{{option}}}}}"} if option == OPTIONS[0] else {}
        for answer in said.values():
            row = {
                "item_id": "x",
                "sample_index": sample,
                "answer": answer,
                "options": OPTIONS,
                "reference_answer": "A",
            }
            schema = {"options": pl.List(pl.String), "sample_index": pl.UInt16}
            read = compared(pl.DataFrame([row], schema_overrides=schema)).row(0, named=True)
            verdict, _ = settle_all(read["answer"], read["reference_answer"])
            assert verdict and verdict[0] == ("pass" if option == OPTIONS[0] else "fail"), answer


def test_what_a_prompt_has_no_place_for_stands_below_the_question_and_braces_of_items_are_text() -> None:
    starter = ITEM | {"starter": "def f():", "question": "Set {options} and {question}."}
    assert asked(starter, 0).endswith("Complete this code:\n```python\ndef f():\n```")
    assert asked(starter | {"prompt": "{question} <{starter}>"}, 0) == "Set {options} and {question}. <def f():>"
    with_options = ITEM | {"options": ["b", "b"], "prompt": "{question}\n[{options}]"}
    assert asked(with_options, 0) == "Which?\n[A) b\nB) b]"


def test_limits_of_a_benchmark_replace_those_of_the_instruments_and_no_others() -> None:
    items = pl.DataFrame({"limits": ['{"timeout_seconds": 6}', '{"timeout_seconds": 6}']})
    assert limits(Code(max_tests=3), items) == Code(max_tests=3, timeout_seconds=6)
    assert limits(Math(), items) == Math()
    assert limits(Code(), pl.DataFrame({"limits": [None]}, {"limits": pl.String})) == Code()
