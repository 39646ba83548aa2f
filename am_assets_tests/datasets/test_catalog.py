"""The catalogue: what `use:` makes of its entries, how it is listed, and that every entry of ours is a sound source."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from am_assets.cli import app
from am_assets.config.files import ConfigError
from am_assets.config.licenses import RANK
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.catalog import SHIPPED, load_catalog
from am_assets.datasets.hub import LOCATION
from am_assets.datasets.sources import Source, load_sources, shard_keys
from am_assets.storage.stored import StoredTables
from am_assets_tests.commands import applied, planned
from am_assets_tests.desk import Desk, at_desk

ROOT = Path(__file__).parents[2]
OURS = load_catalog(ROOT / "data")
FROM_FILES = ("--recipe", "plain", "--select", "raw_pool")
LISTED = {"location": "pool/sums.jsonl", "adapter": "jsonl", "rank": 2}


def sources(folder: Path, content: dict, catalog: dict | None = None) -> dict[str, Source]:
    if catalog is not None:
        (folder / "catalog.yaml").write_text(yaml.safe_dump(catalog))
    (folder / "sources.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return load_sources(folder / "sources.yaml")


def test_two_names_are_all_that_is_needed_in_any_folder(tmp_path: Path) -> None:
    used = sources(tmp_path, {"use": ["openr1-math", "numinamath-1.5"]})
    assert used["openr1-math"].location == "hf://datasets/open-r1/OpenR1-Math-220k/data/train-*.parquet"
    assert used["openr1-math"].license == "apache-2.0"
    assert (used["numinamath-1.5"].adapter, used["numinamath-1.5"].rank) == ("math", 2)
    assert shard_keys(used) == ["openr1-math", *(f"numinamath-1.5-{number}" for number in range(9))]  # of 896,215 rows


def test_what_the_project_says_of_a_name_goes_before_the_catalogue(tmp_path: Path) -> None:
    catalog = {"one": LISTED | {"teacher": "r1", "columns": {"question": "ask", "response": "said"}}}
    own = {"use": ["one"], "one": {"limit": 10, "shards": 2, "columns": {"question": "prompt"}}}
    one = sources(tmp_path, own, catalog)["one"]
    assert (one.limit, one.shards, one.teacher, one.rank) == (10, 2, "r1", 2)
    assert one.columns == {"question": "prompt", "response": "said"}
    assert sources(tmp_path, {"use": ["one"], "one": None})["one"].limit is None


def test_used_sources_stand_where_use_stands(tmp_path: Path) -> None:
    content = {"a": LISTED, "two": {"limit": 1}, "use": ["two", "one"], "b": LISTED}
    assert list(sources(tmp_path, content, {"one": LISTED, "two": LISTED})) == ["a", "two", "one", "b"]


def test_an_entry_of_the_project_replaces_ours_of_that_name(tmp_path: Path) -> None:
    used = sources(tmp_path, {"use": ["gsm8k", "limo"]}, {"gsm8k": LISTED})
    assert used["gsm8k"].location == "pool/sums.jsonl"
    assert used["limo"].location == "hf://datasets/GAIR/LIMO/limo.jsonl"


@pytest.mark.parametrize(("rows", "shards"), [(None, 1), (100_000, 1), (100_001, 2), (9_000_000, 32)])
def test_shards_follow_from_the_rows(tmp_path: Path, rows: int | None, shards: int) -> None:
    assert sources(tmp_path, {"use": ["one"]}, {"one": LISTED | {"rows": rows}})["one"].shards == shards
    assert sources(tmp_path, {"use": ["one"]}, {"one": LISTED | {"rows": rows, "shards": 5}})["one"].shards == 5


def test_a_known_revision_is_the_one_that_is_read(tmp_path: Path) -> None:
    entry = {"location": "hf://datasets/a/b/c/*.jsonl", "adapter": "jsonl", "rank": 1, "revision": "abc123"}
    assert sources(tmp_path, {"use": ["one"]}, {"one": entry})["one"].location == "hf://datasets/a/b@abc123/c/*.jsonl"


@pytest.mark.parametrize(
    ("content", "catalog", "says"),
    [
        ({"use": ["openr1-maths"]}, None, r"sources\.yaml: use: .*no openr1-maths; did you mean openr1-math"),
        ({"use": ["qqqq"]}, None, r"no qqqq; `am catalog` lists"),
        ({"use": "openr1-math"}, None, r"sources\.yaml: use: expected a list of names"),
        ({"use": [{"openr1-math": {"limit": 1}}]}, None, "expected a list of names"),
        ({"use": ["limo", "gsm8k", "limo"]}, None, "twice: limo"),
        ({"use": []}, None, "no source here"),
        ({"use": ["limo"], "limo": {"limits": 1}}, None, r"sources\.yaml: limo: limits: "),
        ({"use": ["limo"], "limo": 1000}, None, r"sources\.yaml: limo: expected fields"),
        ({"use": ["one"]}, {"one": LISTED | {"licence": "mit"}}, r"catalog\.yaml: one: licence: "),
        ({"use": ["one"]}, {"one": LISTED | {"has": ["labels"]}}, r"catalog\.yaml: one: has\.0: "),
        ({"use": ["one"]}, {"one": LISTED | {"revision": "abc"}}, "revision is that of a location on the hub"),
        ({"use": ["one"]}, {"one": LISTED | {"location": "hf://datasets/a"}}, r"catalog\.yaml: one: .*expected hf://"),
        ({"use": ["one"]}, {"One!": LISTED}, r"catalog\.yaml: One!: a source's name"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, content: Any, catalog: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        sources(tmp_path, content, catalog)


def test_every_entry_of_ours_is_a_source_of_a_known_form_on_the_hub() -> None:
    assert len(OURS) >= 40
    for name, entry in OURS.items():
        assert entry.license is None or entry.license in RANK, name
        source = Source.model_validate(entry.as_source())
        assert source.adapter in ADAPTERS and LOCATION.fullmatch(source.location or ""), name
        assert entry.facts and entry.facts.startswith("https://"), name
        assert entry.taught_by or not {"traces", "answers"} & {*entry.has}, f"{name}: who gave its responses?"


def test_the_catalogue_of_the_package_is_that_of_the_data_folder() -> None:
    assert SHIPPED.read_bytes() == (ROOT / "data" / "catalog.yaml").read_bytes()


def test_the_example_of_the_paper_declares_its_whole_pool() -> None:
    pool = load_sources(ROOT / "data" / "examples" / "paper" / "sources.yaml")
    assert {"natural-reasoning", "infinity-instruct", "kodcode", "dolphin-r1", "codeio", "limo"} <= {*pool}
    assert len(pool) == 23


def test_it_is_listed_with_what_is_known_and_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AM_DATA", str(tmp_path))  # no project there
    monkeypatch.delenv("AM_SOURCES", raising=False)
    table = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["catalog"]).output
    [line] = [line for line in table.splitlines() if " deepmath-103k " in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        "deepmath-103k", "103,110", "deepmath", "mit", "references, traces", "deepseek-r1",
    ]  # fmt: skip
    [line] = [line for line in table.splitlines() if " am-thinking-code " in line]
    assert line.count("unknown") == 2  # rows and license
    (tmp_path / "catalog.yaml").write_text(yaml.safe_dump({"mine": LISTED}))
    entries = json.loads(CliRunner().invoke(app, ["catalog", "--json"]).output)
    assert entries["mine"]["rows"] is None and entries["mine"]["location"] == "pool/sums.jsonl"
    assert entries["synthetic-2"]["shards"] == 4 and len(entries) == len(OURS) + 1


def read(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["read", *arguments])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project whose catalogue has two entries and which uses one of them."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)  # type: ignore[arg-type]
    listed = {"location": "pool/more.jsonl", "adapter": "jsonl", "rank": 2, "columns": {"question": "ask"}}
    desk.rows("more", [{"ask": "Name a colour.", "answer": "red"}, {"ask": "Name a fish.", "answer": "eel"}])
    desk.write("catalog.yaml", {"more": listed | {"rows": 2}, "other": LISTED})
    desk.write("sources.yaml", {"open": desk.source("open", 1), "use": ["more"]})
    return desk


def test_a_name_is_read_as_its_entry_says_and_options_go_before_it(desk: Desk) -> None:
    found = json.loads(read("more", "--json").output)["shapes"][0]
    assert (found["rows"], found["columns"]["question"], found["counts"]["references"]) == (2, "ask", 2)
    assert json.loads(read("more", "--where", "answer = 'eel'", "--json").output)["shapes"][0]["rows"] == 1
    assert json.loads(read("other", "--json").output)["shapes"][0]["rows"] == 5


def test_what_is_neither_a_file_nor_a_name_is_said(desk: Desk) -> None:
    ran = read("mor")
    assert ran.exit_code == 2 and "mor: no such file: the catalogue has no mor; did you mean more" in ran.output
    assert "no such file" in read("mor.jsonl").output


def test_a_name_with_a_dot_is_a_partition_like_any_other(desk: Desk) -> None:
    for name in ("sums", "sums-1", "sums-1.5"):
        desk.rows(name, [{"question": f"{name}: what is {number} plus 2?"} for number in range(3)])
    desk.write("sources.yaml", {name: desk.source(name, 1) for name in ("sums", "sums-1.5", "sums-1")})
    select = ("--recipe", "plain", "--select", "+similar_pairs")
    assert {*applied(desk, *select).values()} == {"done"}
    assert planned(desk, *select) == {}
    assert {*StoredTables(desk.folder / "assets").partitions("similar_pairs")} == {"sums", "sums-1", "sums-1.5"}


def test_an_edit_of_a_used_entry_reaches_that_source_alone(desk: Desk) -> None:
    assert applied(desk, *FROM_FILES) == {("raw_pool", "open"): "done", ("raw_pool", "more"): "done"}
    assert planned(desk, *FROM_FILES) == {}
    catalog = yaml.safe_load((desk.folder / "catalog.yaml").read_text())
    edited = catalog["more"] | {"where": "answer = 'eel'", "rank": 7, "rows": 20, "has": ["tests"]}
    desk.write("catalog.yaml", {"more": edited, "other": LISTED | {"rank": 9}})
    because = "where of source more in sources.yaml changed from null to answer = 'eel'"
    assert planned(desk, *FROM_FILES) == {("raw_pool", "more"): ("stale", because)}
    assert applied(desk, *FROM_FILES) == {("raw_pool", "more"): "done"}
    assert planned(desk, *FROM_FILES) == {}
