import json

import polars as pl
import pytest

from am_assets.storage.schemas import SftDataset
from am_assets.training.dataset import am_record, sft_table

TEST = json.dumps({"test_code": "assert f(1) == 2", "test_entry_point": "f"})


def verified(*rows: tuple[str, str, bool], source: str = "gsm") -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["response_id", "question_id", "kept"], orient="row")
    columns = {"source": source, "category": "math", "difficulty": "easy", "teacher": "r1"}
    measured = {"pass_rate": pl.lit(None, pl.Float64), "repaired_reference": pl.lit(None, pl.String)}
    return frame.with_columns(pl.lit(value).alias(name) for name, value in columns.items()).with_columns(**measured)


def features(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"response_id": ids, "think": [f"think {i}" for i in ids], "answer": [f"say {i}" for i in ids]})


def pool(*rows: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    schema = {"source": pl.String, "question_id": pl.String, "reference_answer": pl.String, "test_cases": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    beside = {"license": pl.lit("mit"), "extra": pl.lit('{"topic": "sums"}')}
    return frame.with_columns(question=pl.lit("ask ") + pl.col("question_id"), **beside)


def table(rows: int = 3) -> pl.DataFrame:
    """Rows of math; the last one of code, with a test."""
    asked = [("gsm", f"q{i:05}", None if i == rows - 1 else "7", TEST if i == rows - 1 else None) for i in range(rows)]
    kept = [(f"r{i:05}", f"q{i:05}", True) for i in range(rows)]
    return sft_table(verified(*kept), features(*(row[0] for row in kept)), pool(*asked))


def test_the_table_holds_kept_responses_with_their_texts_in_order():
    kept = verified(("r2", "q1", True), ("r1", "q1", True), ("r3", "q1", False))
    result = sft_table(kept, features("r3", "r2", "r1"), pool(("gsm", "q1", "7", None)))
    SftDataset.validate(result)
    columns = ["response_id", "question", "think", "answer", "reference_answer"]
    assert result.select(columns).rows() == [
        ("r1", "ask q1", "think r1", "say r1", "7"),
        ("r2", "ask q1", "think r2", "say r2", "7"),
    ]


def test_a_question_that_lies_in_two_sources_is_taken_from_the_one_of_the_response():
    both = pool(("zoo", "q1", "8", None), ("gsm", "q1", "7", None), ("gsm", "q1", "7", None))
    result = sft_table(verified(("r1", "q1", True), source="zoo"), features("r1"), both)
    assert result["reference_answer"].to_list() == ["8"]


@pytest.mark.parametrize("extra", [True, False])
def test_columns_that_sources_carry_along_are_released_on_request(extra: bool):
    result = sft_table(verified(("r1", "q1", True)), features("r1"), pool(("gsm", "q1", "7", None)), extra)
    assert result.select("license", "extra").row(0) == ("mit", '{"topic": "sums"}' if extra else None)


def test_a_kept_response_without_its_question_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"1 kept response without .* first r1"):
        sft_table(verified(("r1", "q1", True)), features("r1"), pool())


def test_a_record_has_exactly_the_two_messages_of_the_released_form():
    user, assistant = am_record(table(1).row(0, named=True))["messages"]
    assert user == {
        "role": "user",
        "content": "ask q00000",
        "info": {"source": "gsm", "reference_answer": None, "test_case": TEST},
    }
    assert assistant == {
        "role": "assistant",
        "content": "<think>think r00000</think>\n<answer>say r00000</answer>",
        "info": {"source": "gsm", "think_content": "think r00000", "answer_content": "say r00000"},
    }
