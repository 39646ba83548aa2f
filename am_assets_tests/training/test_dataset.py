import json
from pathlib import Path

import polars as pl
import pytest

from am_assets.storage.schemas import SftDataset
from am_assets.training.dataset import am_record, sft_table, write_release

TEST = json.dumps({"test_code": "assert f(1) == 2", "test_entry_point": "f"})


def verified(*rows: tuple[str, str, bool], source: str = "gsm") -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["response_id", "question_id", "kept"], orient="row")
    columns = {"source": source, "category": "math", "difficulty": "easy", "teacher": "r1"}
    return frame.with_columns(pl.lit(value).alias(name) for name, value in columns.items())


def features(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"response_id": ids, "think": [f"think {i}" for i in ids], "answer": [f"say {i}" for i in ids]})


def pool(*rows: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    schema = {"source": pl.String, "question_id": pl.String, "reference_answer": pl.String, "test_cases": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(question=pl.lit("ask ") + pl.col("question_id"))


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


def test_a_kept_response_without_its_question_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"1 kept responses lack .* first r1"):
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


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`datasets.load_dataset` without a network and with a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    return lambda *args, **options: load_dataset(*args, split="train", cache_dir=str(tmp_path / "cache"), **options)


def test_a_release_loads_by_its_folder_and_by_its_files(tmp_path, load):
    rows = table()
    write_release(rows, tmp_path / "release", name="demo")
    messages = [am_record(row)["messages"] for row in rows.iter_rows(named=True)]
    records = load(str(tmp_path / "release"))
    assert [m["content"] for row in records for m in row["messages"]] == [m["content"] for r in messages for m in r]
    assert json.loads(records[2]["messages"][0]["info"]["test_case"])["test_entry_point"] == "f"
    assert len(load("json", data_files=str(tmp_path / "release" / "data.jsonl"))) == 3
    assert load("parquet", data_files=str(tmp_path / "release" / "data.parquet")).to_list() == rows.to_dicts()


@pytest.mark.slow
def test_a_release_loads_where_the_first_test_comes_late(tmp_path, load):
    rows = table(60_000)  # over 10 MB of records without a test before the one that has it
    write_release(rows, tmp_path / "release", name="demo")
    assert load(str(tmp_path / "release"))[59_999]["messages"][0]["info"]["test_case"] == TEST
    plain = load("json", data_files=str(tmp_path / "release" / "data.jsonl"))
    assert plain[59_999]["messages"][0]["info"]["test_case"] == TEST


def test_a_release_is_the_same_bytes_again_and_replaces_the_one_before(tmp_path):
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / "release").iterdir()}

    write_release(table(5), tmp_path / "release", name="demo")
    first = contents()
    write_release(table(2), tmp_path / "release", name="demo")
    assert contents() != first
    write_release(table(5), tmp_path / "release", name="demo")
    assert contents() == first
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_the_card_counts_rows_and_states_the_system_prompt(tmp_path):
    write_release(table(), tmp_path / "release", name="demo", system_prompt="Think first.")
    card = (tmp_path / "release" / "README.md").read_text()
    assert "3 responses to 3 questions" in card
    assert "| gsm | 3 | 100.0% |" in card
    assert "> Think first." in card
    assert "## Licence" in card
