"""The sets read their texts a few at a time, and hold the same rows however few these are."""

from pathlib import Path

import polars as pl
import pytest

from am_assets.config.sets import PreferencePolicy, RlPolicy
from am_assets.orchestration import texts
from am_assets.orchestration.tables import empty
from am_assets.storage import streams
from am_assets.storage.stored import StoredTables, stored_at
from am_assets.training import preference, rl

SHARDS, EACH = ["a", "b"], 12


@pytest.fixture
def store(tmp_path: Path) -> StoredTables:
    """Two shards, each of questions with a reference and two responses, of which the second one is wrong."""
    for shard in SHARDS:
        ids = [f"{shard}{(at * 7) % EACH:02d}" for at in range(EACH)]  # in no order
        asked = {"question_id": ids, "question": [f"ask {one}" for one in ids], "reference_answer": ids}
        said = {"response_id": [f"{side}{one}" for one in ids for side in "rw"]}
        turn = pl.format("<think>of {}</think>say {}", pl.col("response_id").str.slice(1), "response_id")
        for name, table in {"raw_pool": pl.DataFrame(asked), "responses": pl.DataFrame(said)}.items():
            table = table.with_columns(response=turn) if name == "responses" else table
            path = stored_at(tmp_path, name, shard)
            path.parent.mkdir(exist_ok=True)
            whole = pl.concat([empty(name), table], how="diagonal_relaxed").sort(table.columns[0])
            whole.write_parquet(path, row_group_size=7)
    return StoredTables(tmp_path)


def verified() -> pl.DataFrame:
    ids = [
        (f"{side}{shard}{at:02d}", f"{shard}{at:02d}", shard) for shard in SHARDS for at in range(EACH) for side in "rw"
    ]
    right = pl.col("response_id").str.starts_with("r")
    named = {"source": "gsm", "category": "math", "difficulty": "easy", "teacher": "r1", "evidence": "math",
             "reward": 0.5, "pass_rate": 0.5, "detail": "not so", "repaired_reference": "9"}  # fmt: skip
    return pl.DataFrame(ids, ["response_id", "question_id", "shard"], orient="row").with_columns(
        *(pl.lit(value).alias(name) for name, value in named.items()),
        kept=right,
        passed=right,
        verdict=pl.when(right).then(pl.lit("pass")).otherwise(pl.lit("fail")),
        drop_reason=pl.when(~right).then(pl.lit("wrong_answer")),
    )


def sets_of(store: StoredTables) -> dict[str, pl.DataFrame]:
    of, beside = verified(), store.folder / "set"
    known = texts.asked(store, SHARDS)
    said = texts.told_apart(store, preference.candidates(of, PreferencePolicy()))
    pairs, _ = preference.pairs(of, said, known, PreferencePolicy())
    chosen = of.unique("question_id").with_columns(kept=pl.lit(True))
    features = chosen.select(rl.ASKED).with_columns(verifiers=pl.lit(["math"]))
    rows, _ = rl.rl_rows(chosen, of, features, known, RlPolicy())
    frames = {"pairs": texts.paired(store, pairs, beside), "rows": texts.checked(store, rows, beside)}
    return {name: pl.concat(several) for name, several in frames.items()}


def test_each_row_has_its_own_texts_however_few_are_held(store: StoredTables, monkeypatch: pytest.MonkeyPatch):
    whole = sets_of(store)
    for row in whole["pairs"].to_dicts():
        one = row["question_id"]
        assert (row["chosen_id"], row["rejected_id"]) == (f"r{one}", f"w{one}")
        assert row["prompt"][0]["content"] == f"ask {one}"
        assert row["chosen"][0]["content"] == f"<think>of {one}</think>\n<answer>say r{one}</answer>"
        assert row["rejected"][0]["content"] == f"<think>of {one}</think>\n<answer>say w{one}</answer>"
    for row in whole["rows"].to_dicts():
        assert row["prompt"][0]["content"] == f"ask {row['question_id']}"
        assert (row["reference_answer"], row["replaced_reference"]) == ("9", row["question_id"])
    assert [frame.height for frame in whole.values()] == [len(SHARDS) * EACH] * 2
    monkeypatch.setattr(streams, "RUN_BYTES", 500)
    monkeypatch.setattr(streams, "GROUP_BYTES", 100)
    for name, frame in sets_of(store).items():
        assert frame.equals(whole[name])


def test_texts_that_are_gone_since_are_refused(store: StoredTables):
    of = verified()
    said = texts.told_apart(store, preference.candidates(of, PreferencePolicy()))
    pairs, _ = preference.pairs(of, said, texts.asked(store, SHARDS), PreferencePolicy())
    path = stored_at(store.folder, "responses", "b")
    pl.read_parquet(path).filter(pl.col("response_id") != "wb07").write_parquet(path)
    with pytest.raises(ValueError, match="raw_pool and responses are not those that verified_set was made of"):
        list(texts.paired(store, pairs, store.folder / "set"))
