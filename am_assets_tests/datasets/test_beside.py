"""What is kept of a row beside its question: licence, columns carried along, and where it came from."""

import json
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.files import ConfigError, parse
from am_assets.config.licenses import normalized, strictest
from am_assets.datasets.locate import SourceError
from am_assets.datasets.reading import Told
from am_assets.datasets.sources import Source, read_shard
from am_assets.storage.schemas import RawPool
from am_assets_tests.commands import am
from am_assets_tests.desk import Desk

ROWS = [
    {"id": "a-1", "problem": "One plus one?", "answer": "2", "license": "MIT", "meta": {"level": 3}},
    {"id": "a-2", "problem": "Two plus two?", "answer": "4", "license": None, "meta": {"level": 1}},
    {"id": "a-3", "problem": "one  plus one?", "answer": "2", "license": "CC BY-NC 4.0", "meta": {"level": 2}},
]


def read(
    folder: Path, rows: list[dict] = ROWS, suffix: str = "jsonl", told: Told | None = None, **entry
) -> pl.DataFrame:
    if suffix == "parquet":
        pl.DataFrame(rows).write_parquet(folder / "a.parquet")
    else:
        (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = {"question": "problem", "reference_answer": "answer"}
    said = {"location": f"a.{suffix}", "adapter": "jsonl", "columns": columns, "rank": 0, **entry}
    return RawPool.validate(read_shard({"s": parse(Source, said, "s")}, "s", folder, told))


def licences(table: pl.DataFrame) -> dict[str, str | None]:
    return {question.lower().split()[0]: name for question, name in table.select("question", "license").iter_rows()}


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_row_has_its_own_licence_else_that_of_its_source_and_of_duplicates_the_strictest(
    tmp_path: Path, suffix: str
) -> None:
    assert licences(read(tmp_path, suffix=suffix)) == {"one": "cc-by-nc-4.0", "two": None}
    assert licences(read(tmp_path, suffix=suffix, license="Apache 2.0")) == {"one": "cc-by-nc-4.0", "two": "apache-2.0"}


def test_another_column_holds_it_where_the_entry_says_so(tmp_path: Path) -> None:
    rows = [{"problem": "One?", "answer": "1", "license": "mit", "meta": {"terms": ["mit", "cc-by-sa-4.0"]}}]
    assert licences(read(tmp_path, rows, license_column="meta.terms")) == {"one?": "cc-by-sa-4.0"}


@pytest.mark.parametrize("said", [{"name": "mit"}, 3, "long text\nof a licence", "x" * 200])
def test_what_is_no_name_of_a_licence_is_an_unknown_one_and_never_that_of_the_source(tmp_path: Path, said) -> None:
    rows = [{"problem": "One?", "answer": "1", "license": said}]
    assert licences(read(tmp_path, rows, license="mit")) == {"one?": "unknown"}


def test_columns_are_carried_along(tmp_path: Path) -> None:
    table = read(tmp_path, keep=["meta.level", "answer"])
    extra = {question: json.loads(text) for question, text in table.select("question", "extra").iter_rows()}
    assert extra["Two plus two?"] == {"meta.level": 1, "answer": "4"}
    assert extra["One plus one?"]["meta.level"] == 2  # of duplicates the smallest text, whatever their order


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"keep": ["meta.levle"]}, "keep: no row has `meta.levle`; nearest is meta.level"),
        ({"license_column": "licence"}, "license_column: no row has `licence`; nearest is license"),
    ],
)
def test_a_path_that_no_row_has_is_an_error(tmp_path: Path, entry: dict, says: str, suffix: str) -> None:
    with pytest.raises(SourceError, match=says):
        read(tmp_path, suffix=suffix, **entry)


def test_a_generator_has_no_columns() -> None:
    with pytest.raises(ConfigError, match="a generator has none"):
        parse(Source, {"generator": "planted", "rank": 0, "keep": ["a"]}, "s")


def test_every_row_of_a_question_is_remembered_with_its_file_line_and_id(tmp_path: Path) -> None:
    told = Told()
    table = read(tmp_path, told=told)
    assert told.came_from is not None
    one = table.filter(pl.col("question").str.contains("(?i)one"))["question_id"].item()
    assert told.came_from.filter(question_id=one).select("place", "own_id").rows() == [
        ("a.jsonl:1", "a-1"),
        ("a.jsonl:3", "a-3"),
    ]


@pytest.mark.parametrize(
    ("names", "is_"),
    [
        (["mit", "apache-2.0"], "mit"),
        (["mit", "cc-by-sa-4.0"], "cc-by-sa-4.0"),
        (["gpl-3.0", "cc-by-nc-4.0"], "cc-by-nc-4.0"),
        (["cc-by-nc-4.0", "house terms"], "house terms"),
        (["cc-by-nc-4.0", None], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_strictest_is_the_one_that_restricts_most(names: list, is_: str) -> None:
    assert strictest(names) == is_
    assert strictest(reversed(names)) == is_


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("MIT License", "mit"),
        ("The MIT License (MIT)", "mit"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "cc-by-nc-sa-4.0"),
        ("Creative Commons Attribution 4.0 International License", "cc-by-4.0"),
        ("GNU General Public License v3.0", "gpl-3.0"),
        ("bigscience-openrail-m", "bigscience-openrail-m"),
        ("Llama 3.1 Community License", "llama-3.1-community"),  # known by no such name: `other`
        ("", "unknown"),
    ],
)
def test_spellings_of_one_licence(spelled: str, name: str) -> None:
    assert normalized(spelled) == name


def test_by_the_users_door(desk: Desk) -> None:
    """Licence, columns and places reach the recipe's decision, `am explain` and `am read`."""
    rows = [{"question": "How many legs have 3 cats?", "reference_answer": "12", "topic": "cats", "uuid": "q7"}]
    desk.add_source("cats", rows)
    sources = desk.sources()
    sources["cats"] |= {"license": "cc-by-nc-4.0", "keep": ["topic"]}
    desk.write(
        "sources.yaml",
        sources | {name: entry | {"license": "mit"} for name, entry in sources.items() if name != "cats"},
    )
    desk.edit("plain", "sampling", licenses=["mit"])
    desk.apply("plain", select="+selected_questions")
    told = am(desk, "explain", "How many legs have 3 cats?", "-r", "plain").stdout
    assert "dropped as license by sampling.licenses: [mit] of recipe plain" in told
    assert 'read from: pool/cats.jsonl:1 (id q7), license: cc-by-nc-4.0, extra: {"topic": "cats"}' in told
    selected = pl.read_parquet(desk.folder / "assets" / "selected_questions" / "plain.parquet")
    assert selected.filter("kept").height > 0
    assert selected.filter(drop_reason="license").height == 1


def test_a_path_through_broken_json_carries_nothing_and_its_licence_is_not_known(tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1] | {"id": float("inf"), "meta": '{"level": 1, "terms": "M'}]
    table = read(tmp_path, rows, license="mit", license_column="meta.terms", keep=["meta.level"])
    assert table.sort("extra", nulls_last=True)["extra"].to_list() == ['{"meta.level": 3}', None]
    assert licences(table) == {"one": "mit", "two": "unknown"}
