"""From sources.yaml to the shards of the pool: identity, merging, defects, and errors that say where."""

import json
import random
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.config.files import ConfigError
from am_assets.datasets.identity import question_id
from am_assets.datasets.locate import SourceError
from am_assets.datasets.sources import DIFFER, Source, load_sources, read_shard, shard_keys
from am_assets.storage.schemas import RawPool

DATA = Path(__file__).parents[2] / "data"


def source(**config: Any) -> Source:
    return Source(**{"location": "a.jsonl", "adapter": "jsonl", "rank": 1, "teacher": "t", **config})


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def shards(folder: Path, shards: int) -> dict[str, pl.DataFrame]:
    sources = {"s": source(shards=shards)}
    return {key: read_shard(sources, key, folder) for key in shard_keys(sources)}


def table_bytes(frame: pl.DataFrame) -> bytes:
    frame.write_parquet(buffer := BytesIO())
    return buffer.getvalue()


ROWS = st.lists(
    st.fixed_dictionaries(
        {"question": st.sampled_from(["One?", "ONE?", " one? ", "Two?", "Three?", "Four?", "", None])},
        optional={
            "reference_answer": st.sampled_from(["1", "2", None]),
            "response": st.sampled_from(["yes", "no", None]),
            "test_code": st.sampled_from(["assert f()", "assert g()"]),
        },
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_shards_and_bytes_do_not_depend_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict], count: int, order: random.Random
) -> None:
    rows = [*rows, {"question": "A sound one?"}]
    folder = tmp_path_factory.mktemp("rows")
    before = shards(write(folder, rows), count)
    order.shuffle(rows)
    after = shards(write(folder, rows), count)
    assert {key: table_bytes(frame) for key, frame in before.items()} == {k: table_bytes(f) for k, f in after.items()}
    assert sum(frame["copies"].sum() for frame in before.values()) == len(rows)
    assert all(RawPool.is_valid(frame) for frame in before.values())


def test_a_new_row_moves_no_other(tmp_path: Path) -> None:
    rows = [{"question": f"Question {n}?"} for n in range(200)]
    before = {key: set(frame["question"]) for key, frame in shards(write(tmp_path, rows), 5).items()}
    after = {
        key: set(frame["question"]) for key, frame in shards(write(tmp_path, [{"question": "New?"}, *rows]), 5).items()
    }
    assert all(before[key] <= after[key] for key in before)
    assert min(map(len, before.values())) > 20


def test_rows_of_one_question_become_one(tmp_path: Path) -> None:
    rows = [
        {"question": "What  is it?", "reference_answer": "$a$", "response": "two"},
        {"question": "WHAT IS IT?", "reference_answer": "a", "response": "one"},
        {"question": "What is it?", "response": "two"},
        {"question": "Other?"},
    ]
    table = shards(write(tmp_path, rows), 1)["s"]
    assert table["question_id"].to_list() == sorted([question_id("What is it?"), question_id("Other?")])
    assert table.filter(pl.col("copies") > 1).drop("question_id").row(0, named=True) == {
        "source": "s",
        "question": "WHAT IS IT?",
        "reference_answer": "$a$",
        "test_cases": None,
        "constraints": None,
        "published": [{"teacher": "t", "response": "one"}, {"teacher": "t", "response": "two"}],
        "copies": 3,
        "license": None,
        "extra": None,
        "defect": None,
    }


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("42", "9", True),
        ("42", "42.0", False),
        ("1,000", "1000", False),
        (r"$\dfrac{1}{2}$", r"\frac{1}{2}", False),
        (r"\text{even}", "Even.", False),
        ("x+1", "x-1", True),
        ("[1,2)", "(1,2]", True),
    ],
)
def test_a_question_with_references_of_different_values_is_named_a_defect(
    tmp_path: Path, one: str, other: str, differ: bool
) -> None:
    rows = [
        {"question": "Q?", "reference_answer": one},
        {"question": "Q?", "reference_answer": other},
        {"question": "R?"},
    ]
    table = shards(write(tmp_path, rows), 1)["s"]
    assert table.filter(question="Q?")["defect"].to_list() == [DIFFER if differ else None]


def test_empty_and_oversized_questions_stay_as_defects(tmp_path: Path) -> None:
    huge = "x" * 10_000_000
    rows = [{"question": text} for text in ["Fine?", "🦊 + 🦊?", "", " \n", None, "-", "…", huge, "y" * 1_000_000]]
    table = shards(write(tmp_path, rows), 1)["s"]
    assert dict(table.group_by("defect").agg(pl.sum("copies")).iter_rows()) == {None: 3, "empty": 5, "oversized": 1}
    cut = table.filter(pl.col("defect") == "oversized").row(0, named=True)
    assert (cut["question"], cut["question_id"]) == ("x" * 1_000, question_id(huge))


def test_a_source_without_a_usable_row_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="source s: every one of its rows is empty or oversized"):
        shards(write(tmp_path, [{"question": ""}, {"question": None}]), 2)


def test_a_shard_may_be_empty_where_its_source_is_not(tmp_path: Path) -> None:
    assert sorted(len(frame) for frame in shards(write(tmp_path, [{"question": "One?"}]), 3).values()) == [0, 0, 1]


def test_bad_lines_stop_every_shard(tmp_path: Path) -> None:
    write(tmp_path, [{"question": "One?"}, {"q": "Two?"}, {"q": "Three?"}])
    for key in ["s-0", "s-1"]:
        with pytest.raises(
            SourceError, match=r"2 of 3 rows can't be read: no field `question`: 2 rows, at .*a\.jsonl:2"
        ):
            read_shard({"s": source(shards=2)}, key, tmp_path)


def load(folder: Path, content: Any) -> dict[str, Source]:
    (folder / "sources.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load_sources(folder / "sources.yaml")


FILE = {"location": "a.jsonl", "adapter": "jsonl", "rank": 1}


def test_sources_come_in_file_order_with_their_shards(tmp_path: Path) -> None:
    loaded = load(tmp_path, "z: {location: a, adapter: am, rank: 1, shards: 2}\na: {location: b, adapter: am, rank: 2}")
    assert shard_keys(loaded) == ["z-0", "z-1", "a"]


def test_shards_sort_as_they_are_counted(tmp_path: Path) -> None:
    keys = shard_keys(load(tmp_path, {"s": FILE | {"shards": 12}}))
    assert keys == sorted(keys) and keys[2] == "s-02"
    assert shard_keys(load(tmp_path, {"s": FILE | {"shards": 10}}))[2] == "s-2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"s": FILE | {"shard": 2}}, r"sources\.yaml: s: shard: "),
        ({"s": FILE | {"rank": "high"}}, r"sources\.yaml: s: rank: "),
        ({"s": {"location": "a.jsonl", "adapter": "jsonl"}}, r"sources\.yaml: s: rank: "),
        ({"s": FILE | {"shards": 0}}, r"sources\.yaml: s: shards: "),
        (
            {"s": {"generator": "planted", "location": "a", "rank": 1}},
            "s: exactly one of location and generator",
        ),
        ({"s": {"generator": "unheard-of", "rank": 1}}, r"sources\.yaml: s: generator: "),
        ({"s": {"generator": "published_arithmetic", "rank": 1}}, "limit must be given"),
        ({"s": None}, r"sources\.yaml: s: expected fields"),
        ({"Name!": FILE}, "Name!: a source's name may hold a-z"),
        ({"s-0": FILE, "s": FILE | {"shards": 2}}, "two sources claim the shard s-0"),
        (
            {"s": FILE | {"shards": 60}, "t": FILE | {"shards": 40}},
            "100 shards; at most 99, because .* lower `shards:`",
        ),
        ("{}", "no source here"),
        ("- a", "expected a mapping at the top"),
        ("a: [", "not YAML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, content)


def test_ninety_nine_shards_are_allowed(tmp_path: Path) -> None:
    assert len(shard_keys(load(tmp_path, {"s": FILE | {"shards": 99}}))) == 99


def test_the_bundled_sources_load_and_every_row_is_accounted_for() -> None:
    sources = load_sources(DATA / "sources.yaml")
    tables = {key: read_shard(sources, key, DATA) for key in shard_keys(sources)}
    rows = {name: 0 for name in sources}
    for table in tables.values():
        rows[table["source"][0]] += table["copies"].sum()
    assert rows == {"arithmetic": 380, "python-tasks": 38, "open-questions": 30, "reasoning-gym": 40, "planted": 27}
    every = pl.concat(tables.values())
    assert every.filter(source="python-tasks")["published"].list.len().sum() == 28
    assert every.filter(source="planted")["defect"].drop_nulls().sort().to_list() == ["empty", "oversized"]
