"""Which answers of a student to a benchmark item state the same result, by the verifier of math, for maj@k."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl

from am_assets.config.instruments import Math
from am_assets.evaluation.scores import STUDENTS, per_question
from am_assets.orchestration.assets.evaluation import benchmark_consensus
from am_assets.storage.memo import Memo
from am_assets.storage.schemas import BenchmarkConsensus

ITEMS = pl.DataFrame(
    {
        "item_id": ["half", "letter", "program"],
        "reference_answer": ["1/2", "B", None],
        "test_cases": [None, None, "assert f() == 1"],
    }
)
ANSWERS = {
    "half": ["\\boxed{1/2}", "\\boxed{3}", "<think>So.</think> <answer>\\boxed{0.5}</answer>", "No idea."],
    "letter": ["\\boxed{B}"] * 4,
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


def test_results_that_the_verifier_finds_equal_are_one_vote_and_letters_and_programs_have_none(tmp_path: Path) -> None:
    responses, table = consensus(tmp_path, ANSWERS)
    assert table.select("item_id", "sample_index", "result", "equal_to").rows() == [
        ("half", 0, "1/2", "0.5"), ("half", 1, "3", "3"), ("half", 2, "0.5", "0.5"), ("half", 3, None, None),
    ]  # fmt: skip
    half = responses.filter(item_id="half").with_columns(
        verdict=pl.Series(["pass", "fail", "pass", "fail"]), well_formed=pl.lit(True)
    )
    scores = per_question(half, responses, table)
    assert (scores["pass@1"].item(), scores["maj@4"].item()) == (0.5, 1.0)


def test_one_answer_is_no_majority(tmp_path: Path) -> None:
    _, table = consensus(tmp_path, {"half": ["\\boxed{1/2}"]})
    assert table.is_empty()
