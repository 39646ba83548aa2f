"""From benchmarks.yaml to canonical items that can be scored."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from am_assets.config.files import ConfigError, parse
from am_assets.datasets.benchmarks import Benchmark, known_benchmarks, load_benchmarks, read_benchmark
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
        ({"location": "a", "prompt": "Answer."}, r"prompt: .*'Answer\.' has no \{question\}"),
        ({"location": "a", "prompt": {"starter": "{question}", "otherwise": "?"}}, r"prompt: .*'\?' has no"),
        ({"location": "a", "window": {}}, "window: .*first or last has to be given"),
        ({"location": "a", "window": {"first": "2024-8"}}, r"window\.first: "),
        ({"location": "a", "window": {"first": "2025-01-02", "last": "2024-12"}}, "lies behind last 2024-12"),
        ({"location": "a", "limits": {"memory": 4096}}, r"limits\.memory: "),
        ({"location": "a", "limits": {"timeout_seconds": 0}}, r"limits\.timeout_seconds: "),
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
    assert [*benchmarks, *published] == ["heldout_arithmetic", "aime2024", "math500", "gpqa_diamond", "livecodebench"]
    assert len(read_benchmark("heldout_arithmetic", benchmarks["heldout_arithmetic"], DATA)) == 96


def used(folder: Path, names: Any, **entries: Any) -> dict[str, Benchmark]:
    (folder / "benchmarks.yaml").write_text(yaml.safe_dump({"use": names, **entries}, sort_keys=False))
    return load_benchmarks(folder / "benchmarks.yaml")


def test_a_known_benchmark_is_used_by_its_name_and_its_fields_may_be_otherwise(tmp_path: Path) -> None:
    found = used(tmp_path, ["gsm8k", "aime2024"], mine={"location": "a.jsonl"}, gsm8k={"limit": 20})
    assert [*found] == ["gsm8k", "aime2024", "mine"]
    assert (found["gsm8k"].limit, found["gsm8k"].adapter, found["aime2024"].limit) == (20, "gsm8k", None)
    assert "boxed" in str(found["aime2024"].prompt) and found["mine"].prompt is None


def test_the_commit_of_a_known_benchmark_is_that_of_its_own_location_alone(tmp_path: Path) -> None:
    assert "google/IFEval@966cd89" in str(used(tmp_path, ["ifeval"])["ifeval"].location)
    own = used(tmp_path, ["ifeval"], ifeval={"location": "ifeval.jsonl"})["ifeval"]
    assert own.location == "ifeval.jsonl"
    pinned = used(tmp_path, ["gsm8k"], gsm8k={"revision": "e53f048"})["gsm8k"]
    assert pinned.location == "hf://datasets/openai/gsm8k@e53f048/main/test-*.parquet"
    with pytest.raises(ConfigError, match="gsm8k: revision: is that of a location on the hub"):
        used(tmp_path, ["gsm8k"], gsm8k={"location": "a.parquet", "revision": "e53f048"})


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["aime_2024"], "no benchmark aime_2024 is known; did you mean aime2024"),
        ("aime2024", "expected a list of names"),
        ([{"aime2024": 1}], "expected a list of names"),
    ],
)
def test_a_name_that_is_not_known_is_an_error_that_says_which_are(tmp_path: Path, names: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=f"use: {says}.*gpqa_diamond"):
        used(tmp_path, names)


def test_every_known_benchmark_loads_and_none_holds_an_item(tmp_path: Path) -> None:
    assert [*used(tmp_path, [*known_benchmarks()])] == [
        *("aime2024", "aime2025", "math500", "gpqa_diamond", "livecodebench"),
        *("humaneval_plus", "mbpp_plus", "ifeval", "gsm8k"),
    ]
    assert all(one["location"].startswith("hf://datasets/") for one in known_benchmarks().values())


def test_a_window_holds_whole_months_and_days_at_both_ends(tmp_path: Path) -> None:
    days = ["2024-07-31", "2024-08-01T00:00:00", "2024-09-15 10:00:00", "2025-01-31T23:59:59", "2025-02-01", None]
    rows = [ONE | {"question": f"{day}?", "contest_date": day} for day in days]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pl.DataFrame(rows).with_columns(pl.col("contest_date").str.slice(0, 10).str.to_datetime("%Y-%m-%d")).write_parquet(
        tmp_path / "a.parquet"
    )

    def within(location: str, **window: str) -> list[str]:
        entry = parse(Benchmark, {"location": location, "adapter": "jsonl", "window": window}, "test")
        return sorted(text[:10] for text in read_benchmark("b", entry, tmp_path)["question"])

    for location in ("a.jsonl", "a.parquet"):
        assert within(location, first="2024-08", last="2025-01") == ["2024-08-01", "2024-09-15", "2025-01-31"]
        assert within(location, first="2024-09-15", last="2024-09") == ["2024-09-15"]
        assert within(location, last="2024-08-01") == ["2024-07-31", "2024-08-01"]
        assert within(location, first="2025-01-31") == ["2025-01-31", "2025-02-01"]
