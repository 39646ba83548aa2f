"""From benchmarks.yaml to canonical items that can be scored."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from am_assets.config.files import ConfigError
from am_assets.datasets.benchmarks import Benchmark, load_benchmarks, read_benchmark
from am_assets.datasets.identity import question_id
from am_assets.datasets.locate import SourceError
from am_assets.storage.schemas import BenchmarkQuestions

DATA = Path(__file__).parents[2] / "data"
BENCHMARK = Benchmark(location="a.jsonl", adapter="jsonl")


def read(folder: Path, *rows: dict[str, Any]) -> pl.DataFrame:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return read_benchmark("b", BENCHMARK, folder)


ONE, TWO = {"question": "One?", "reference_answer": "1"}, {"question": "Two?", "test_code": "assert f() == 2"}


def test_items_are_sorted_by_the_id_of_their_text_whatever_the_order(tmp_path: Path) -> None:
    items = read(tmp_path, ONE, TWO)
    assert BenchmarkQuestions.is_valid(items)
    assert items["item_id"].to_list() == sorted([question_id("One?"), question_id("Two?")])
    assert items.equals(read(tmp_path, TWO, ONE))


def test_an_item_given_twice_counts_once_unless_its_answers_differ(tmp_path: Path) -> None:
    assert read(tmp_path, ONE, ONE, ONE | {"question": "ONE?"})["question"].to_list() == ["ONE?"]
    with pytest.raises(SourceError, match="benchmark b: the same text with differing answers: 'One"):
        read(tmp_path, ONE, TWO, ONE | {"reference_answer": "2"})


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": "Three?"}, "no reference answer, tests or constraints: 'Three"),
        ({"question": " ", "reference_answer": "1"}, "an empty question"),
        ({"question": None, "reference_answer": "1"}, "an empty question"),
        ({"reference_answer": "1"}, r"1 of 2 rows can't be read: no field `question`: 1 row, at .*a\.jsonl:2"),
    ],
)
def test_an_item_that_cannot_be_scored_is_an_error(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read(tmp_path, ONE, row)


def test_a_generated_benchmark_needs_no_file(tmp_path: Path) -> None:
    benchmark = Benchmark(generator="reasoning_gym", datasets={"chain_sum": 5}, seed=9)
    assert len(read_benchmark("b", benchmark, tmp_path)) == 5


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"location": "a", "adapter": "jsonl", "rank": 1}, r"benchmarks\.yaml: b: rank: "),
        ({"generator": "planted"}, r"benchmarks\.yaml: b: generator: "),
        ({"adapter": "jsonl"}, "exactly one of location and generator"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, entry: dict[str, Any], says: str) -> None:
    (tmp_path / "benchmarks.yaml").write_text(yaml.safe_dump({"b": entry}))
    with pytest.raises(ConfigError, match=says):
        load_benchmarks(tmp_path / "benchmarks.yaml")


def test_a_benchmark_name_must_serve_as_a_partition_key(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.yaml").write_text("AIME 2024: {location: a, adapter: math}")
    with pytest.raises(ConfigError, match="AIME 2024: a benchmark's name may hold"):
        load_benchmarks(tmp_path / "benchmarks.yaml")


def test_the_bundled_benchmarks_load() -> None:
    benchmarks = load_benchmarks(DATA / "benchmarks.yaml")
    published = load_benchmarks(DATA / "examples" / "paper" / "benchmarks.yaml")
    assert [*benchmarks, *published] == ["heldout_arithmetic", "aime2024", "math500"]
    assert len(read_benchmark("heldout_arithmetic", benchmarks["heldout_arithmetic"], DATA)) == 96
