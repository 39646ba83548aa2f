"""Which answers of a student to a benchmark item state the same result, by the verifier of math, for maj@k."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl

from am_assets.config.instruments import Math
from am_assets.datasets.options import LETTERS, shuffled
from am_assets.evaluation.scores import STUDENTS, per_question
from am_assets.orchestration.assets.evaluation import benchmark_consensus
from am_assets.storage.memo import Memo
from am_assets.storage.schemas import BenchmarkConsensus

ITEMS = pl.DataFrame(
    {
        "item_id": ["half", "letter", "options", "program"],
        "question": ["?"] * 4,
        "reference_answer": ["1/2", "B", "A", None],
        "test_cases": [None, None, None, "assert f() == 1"],
        "options": [None, None, ["12 m", "7 m", "3 m", "1 m"], None],
    }
)
PLACES = [shuffled(ITEMS["options"][2].to_list(), "options", nth)[0] for nth in range(4)]
ANSWERS = {
    "half": ["\\boxed{1/2}", "\\boxed{3}", "<think>So.</think> <answer>\\boxed{0.5}</answer>", "No idea."],
    "letter": ["\\boxed{B}", "Answer: A", "Answer: B", "A or B"],
    "options": [
        f"Answer: {LETTERS[PLACES[0].index('7 m')]}",
        f"It is {LETTERS[PLACES[1].index('1 m')]}?\n\n**Answer: {LETTERS[PLACES[1].index('7 m')]}) 7 m**",
        "Answer: E",
        f"\\boxed{{{LETTERS[PLACES[3].index('1 m')]}}}",
    ],
    "program": ["```python\ndef f(): return 1\n```"] * 4,
}


def consensus(folder: Path, answers: dict[str, list[str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The answers of the trained student, and BenchmarkConsensus of them."""
    rows = [
        ("trained", item, nth, text, "stop", 9) for item, texts in answers.items() for nth, text in enumerate(texts)
    ]
    columns = ["student", "item_id", "sample_index", "response", "finish_reason", "completion_tokens"]
    types = {"student": STUDENTS, "sample_index": pl.UInt16}
    responses = pl.DataFrame(rows, columns, orient="row").cast(types)
    here, memo = SimpleNamespace(instruments=SimpleNamespace(math=Math())), Memo(folder)
    table, _ = benchmark_consensus.fn(here, responses, ITEMS, SimpleNamespace(memo=memo, fill=memo.fill))
    return responses, BenchmarkConsensus.validate(table.select(BenchmarkConsensus.column_names()), cast=True)


def test_results_that_the_verifier_finds_equal_are_one_vote_and_programs_have_none(tmp_path: Path) -> None:
    responses, table = consensus(tmp_path, ANSWERS)
    votes = table.select("item_id", "sample_index", "result", "equal_to")
    assert votes.filter(pl.col("item_id") != "options").rows() == [
        ("half", 0, "1/2", "0.5"), ("half", 1, "3", "3"), ("half", 2, "0.5", "0.5"), ("half", 3, None, None),
        ("letter", 0, "B", "B"), ("letter", 1, "A", "A"), ("letter", 2, "B", "B"), ("letter", 3, None, None),
    ]  # fmt: skip
    half = responses.filter(item_id="half").with_columns(
        verdict=pl.Series(["pass", "fail", "pass", "fail"]), well_formed=pl.lit(True)
    )
    scores = per_question(half, responses, table)
    assert (scores["pass@1"].item(), scores["maj@4"].item()) == (0.5, 1.0)


def test_options_in_another_order_in_each_sample_are_counted_by_what_their_letters_stand_for(tmp_path: Path) -> None:
    _, table = consensus(tmp_path, {"options": ANSWERS["options"]})
    assert len({tuple(order) for order in PLACES}) > 1
    assert table["result"].to_list() == table["equal_to"].to_list() == ["7 m", "7 m", None, "1 m"]


def test_one_answer_is_no_majority(tmp_path: Path) -> None:
    _, table = consensus(tmp_path, {"half": ["\\boxed{1/2}"]})
    assert table.is_empty()
