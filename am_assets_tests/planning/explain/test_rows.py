"""A question found by its text or its id, and its rows read out of the stored tables, of whatever form they are."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.config.files import ConfigError
from am_assets.datasets.identity import question_id
from am_assets.orchestration.schemas import TABLES
from am_assets.planning.explain.rows import find, read
from am_assets.storage.stored import StoredTables

TEXTS = ["How many legs has a spider?", "How many legs has an ant?", "Name the capital of Peru."]
IDS = [question_id(text) for text in TEXTS]
HERE = SimpleNamespace(sources={})


def write(folder: Path, asset: str, partition: str, rows: dict, without: tuple[str, ...] = ()) -> None:
    schema = TABLES[asset].create_empty().schema
    table = pl.DataFrame(rows, {name: schema[name] for name in rows})
    empty = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in rows]
    (folder / asset).mkdir(exist_ok=True)
    table.with_columns(empty).select(*schema).drop(without).write_parquet(folder / asset / f"{partition}.parquet")


@pytest.fixture
def store(tmp_path: Path) -> StoredTables:
    write(tmp_path, "raw_pool", "a", {"question_id": IDS[:2], "question": TEXTS[:2]})
    write(tmp_path, "raw_pool", "b", {"question_id": IDS[2:], "question": TEXTS[2:]}, without=("constraints",))
    pairs = {"question_id": [IDS[1], IDS[2]], "other_id": [IDS[0], IDS[2]], "cosine": [0.9, 1.0]}
    write(tmp_path, "similar_pairs", "a", pairs)
    write(tmp_path, "deduped_set", "r", {"question_id": IDS, "shard": ["a", "a", "b"], "kept": [True, False, True]})
    return StoredTables(tmp_path)


@pytest.mark.parametrize("asked", [TEXTS[0], f"  {TEXTS[0].upper()}\n", IDS[0], IDS[0][:8]])
def test_a_question_is_found_by_its_text_its_id_and_the_beginning_of_that(store: StoredTables, asked: str) -> None:
    assert find(store, HERE, asked) == IDS[0]


def test_an_unknown_one_is_told_with_what_comes_near(store: StoredTables) -> None:
    with pytest.raises(ConfigError, match="no shard holds the question 'How many legs has a crab") as told:
        find(store, HERE, "How many legs has a crab?")
    assert TEXTS[0] in str(told.value)
    assert TEXTS[2] not in str(told.value)
    with pytest.raises(ConfigError, match="no shard holds"):
        find(store, HERE, "")


def test_the_beginning_of_several_ids_is_not_enough(tmp_path: Path) -> None:
    write(tmp_path, "raw_pool", "a", {"question_id": ["abcd1" + "0" * 27, "abcd2" + "0" * 27], "question": TEXTS[:2]})
    with pytest.raises(ConfigError, match="abcd begins 2 ids"):
        find(StoredTables(tmp_path), HERE, "abcd")


def test_a_neighbour_is_seen_from_either_side_with_its_text_and_fate(store: StoredTables) -> None:
    for one, other, kept in ((0, 1, False), (1, 0, True)):
        nearest = read(store, "r", [], IDS[one], texts=True).neighbours
        assert nearest.select("other_id", "question", "kept").rows() == [(IDS[other], TEXTS[other], kept)]
    assert read(store, "r", [], IDS[2], texts=True).neighbours.is_empty()  # in a crowd it is paired with itself


def test_tables_of_an_older_form_and_tables_that_are_not_there_are_read(store: StoredTables) -> None:
    rows = read(store, "r", [], IDS[2], texts=True)
    assert [(row["shard"], row["constraints"]) for row in rows.of("raw_pool")] == [("b", None)]
    assert rows.of("responses") == []
    assert [row["kept"] for row in rows.of("deduped_set")] == [True]


def test_texts_of_responses_are_read_where_they_are_shown_alone(store: StoredTables) -> None:
    said = {"response_id": ["r1", "r2"], "question_id": [IDS[2], IDS[0]], "response": ["<think>Sum.</think> 3", "4"]}
    write(store.folder, "responses", "b", said)
    assert [row["response"] for row in read(store, "r", [], IDS[2], texts=True).of("responses")] == said["response"][:1]
    write(
        store.folder, "responses", "b", {name: said[name] for name in ("response_id", "question_id")}
    )  # none is there
    assert [row["response"] for row in read(store, "r", [], IDS[2], texts=False).of("responses")] == [None]
