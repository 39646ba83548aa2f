"""Reading data files: every row arrives, or an error says where and why not."""

import gzip
import json
import os
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.datasets.locate import SourceError, content_hash, find_files
from am_assets.datasets.reader import Column, read_batches

QUESTION = {"question": Column("question", required=True)}


def read(path: Path, columns: dict[str, Column] = QUESTION) -> pl.DataFrame:
    return pl.concat(read_batches(path, columns))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


ROWS = [{"question": f"Question {n}? é\u2028"} for n in range(12_345)]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
ARRAY = json.dumps(ROWS).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.jsonl", b"\xef\xbb\xbf" + LINES + b"\n\n"),
        ("a.jsonl.gz", gzip.compress(LINES)),
        ("a.jsonl.gz", gzip.compress(LINES[:5000]) + gzip.compress(LINES[5000:])),
        ("a.jsonl.zst", zstandard.compress(LINES)),
        ("a.jsonl.zst", zstandard.compress(LINES[:5000]) + zstandard.compress(LINES[5000:])),
        ("a.json", ARRAY),
    ],
    ids=["plain", "byte order mark", "gz", "gz of two members", "zst", "zst of two frames", "array"],
)
def test_every_row_arrives_in_order(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(write(tmp_path / name, content))["question"].to_list() == [row["question"] for row in ROWS]


def test_every_row_of_a_parquet_file_arrives(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet", row_group_size=1000)
    assert read(tmp_path / "a.parquet")["question"].to_list() == [row["question"] for row in ROWS]


@settings(max_examples=30)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_survives_or_is_replaced_by_the_replacement_character(tmp_path_factory, texts: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("any") / "a.jsonl", "\n".join(json.dumps({"question": t}) for t in texts))
    for text, got in zip(texts, read(path)["question"], strict=True):
        assert "\0" not in got
        if "\0" not in text:
            assert got == text


def test_nul_and_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", r'{"question": "a\u0000b\ud800c\ud83d\ude00"}')
    assert read(path)["question"].to_list() == ["a\ufffdb\ufffdc😀"]


def test_a_question_of_ten_megabytes_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"question": "x" * 10_000_000}))
    assert read(path)["question"].str.len_chars().to_list() == [10_000_000]


NESTED = {
    "text": Column("messages.0.content", required=True),
    "tests": Column("messages.0.info.test_case", kind="json"),
    "missing": Column("messages.7.content"),
}


def test_a_path_reaches_into_json_and_parquet_alike(tmp_path: Path) -> None:
    row = {"messages": [{"content": "hi", "info": {"test_case": {"test_code": "assert f(1) == 'é'"}}}]}
    write(tmp_path / "a.jsonl", json.dumps(row))
    pl.DataFrame([row]).write_parquet(tmp_path / "a.parquet")
    frames = [read(tmp_path / name, NESTED) for name in ["a.jsonl", "a.parquet"]]
    assert frames[0].equals(frames[1])
    assert frames[0].row(0) == (1, "hi", """{"test_code": "assert f(1) == 'é'"}""", None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"question": "a"}\n{"question": ', "a.jsonl:2: not JSON"),
        ('{"question": "a"}\n\n{"answer": "b"}', "a.jsonl:3: no field `question`; the line has answer"),
        ('{"question": "a"}\n{"question": 5}', "a.jsonl:2: field `question`: expected text, found int"),
        ('{"question": "a"}\n["b"]', "a.jsonl:2: expected a JSON object, found list"),
        (b'{"question": "a"}\n{"question": "\xff"}', "a.jsonl:2: not UTF-8 at byte 15"),
        ('{"question": "a"}\n{"question": "\0"}', "a.jsonl:2: not JSON"),
        ('{"question": ' + "[" * 200_000, "a.jsonl:1: "),
        ('{"question": ' + "9" * 5_000 + "}", "a.jsonl:1: JSON beyond what can be read"),
        ("", "a.jsonl: holds no rows"),
        ("\n \n", "a.jsonl: holds no rows"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read(write(tmp_path / "a.jsonl", content))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl.gz", gzip.compress(LINES)[:-200], "damaged or cut off"),
        ("a.jsonl.gz", LINES, "damaged or cut off"),
        ("a.jsonl.zst", zstandard.compress(LINES)[:-200], "damaged or cut off"),
        ("a.jsonl.zst", LINES, "damaged or cut off"),
        ("a.parquet", LINES, "can't be read as Parquet"),
        ("a.json", LINES, "not JSON"),
        ("a.json", b'{"question": "a"}', "expected a JSON array"),
        ("a.csv", b"question\na", "unknown format"),
    ],
)
def test_a_damaged_file_is_an_error_and_never_a_shorter_one(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    with pytest.raises(SourceError, match=says):
        read(write(tmp_path / name, content))


def test_parquet_without_the_column_or_with_another_type_is_an_error(tmp_path: Path) -> None:
    pl.DataFrame({"question": [1, 2]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="column `question`: expected text, found Int64"):
        read(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="no column `prompt`; the file has question"):
        read(tmp_path / "a.parquet", {"question": Column("prompt", required=True)})
    assert read(tmp_path / "a.parquet", {"answer": Column("question", "scalar")})["answer"].to_list() == ["1", "2"]


def test_locations_are_relative_absolute_globs_or_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    b, a = write(tmp_path / "b.jsonl", "b"), write(tmp_path / "a[1].jsonl", "a")
    monkeypatch.setenv("AM_TEST_FOLDER", str(tmp_path))
    assert find_files("b.jsonl", tmp_path) == [b]
    assert find_files(str(b), Path("/nowhere")) == [b]
    assert find_files("$AM_TEST_FOLDER/*.jsonl", Path("/nowhere")) == [a, b]
    assert find_files("a[1].jsonl", tmp_path) == [a]


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("none.jsonl", "none.jsonl: no such file"),
        ("*.parquet", "no such file"),
        (".", "is a folder"),
        ("$AM_TEST_NOT_SET/a.jsonl", "environment variable AM_TEST_NOT_SET is not set"),
        ("hf://datasets/only-one-part", "expected hf://datasets/<owner>/<name>"),
    ],
)
def test_a_location_without_files_is_an_error(tmp_path: Path, location: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        find_files(location, tmp_path)


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    os.symlink(tmp_path / "gone.jsonl", tmp_path / "a.jsonl")
    with pytest.raises(SourceError, match="can't be read"):
        read(tmp_path / "a.jsonl")


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SourceError, match="give its path as location"):
        find_files("hf://datasets/am-assets-tests/not-there/test.jsonl", tmp_path)


def test_the_content_hash_follows_the_bytes_alone(tmp_path: Path) -> None:
    first = content_hash("a.jsonl", write(tmp_path / "a.jsonl", "one").parent)
    os.utime(tmp_path / "a.jsonl", (0, 0))
    assert content_hash("*.jsonl", tmp_path) == first
    write(tmp_path / "a.jsonl", "two")
    assert content_hash("a.jsonl", tmp_path) != first
