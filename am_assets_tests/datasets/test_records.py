"""Reading data files: every row arrives, or it is said where and why not."""

import gzip
import json
import lzma
import os
import re
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.datasets.locate import SourceError, content_hash, find_files
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import BESIDE, PARTS, Told, read_rows
from am_assets.datasets.records import read_records


def read(path: Path, told: Told | None = None, **entry: object) -> pl.DataFrame:
    return pl.concat(read_rows(Origin(location=str(path), adapter="jsonl", **entry), path.parent, told)).drop(
        BESIDE, PARTS
    )


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


ROWS = [{"question": f"Question {n}? é\u2028"} for n in range(12_345)]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()
ARRAY = json.dumps(ROWS).encode()
CSV = ("question,n\n" + "".join(f'"Question {n}? é\u2028",\n' for n in range(len(ROWS)))).encode()


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
        ("a.jsonl.xz", lzma.compress(LINES)),
        ("a.jsonlines", LINES),
        ("a.jsonl", b"\n".join(json.dumps(row, indent=1).encode() for row in ROWS)),
        ("a.json", LINES),
        ("a.json.gz", gzip.compress(ARRAY)),
        ("a.json", b'{"version": 1, "data": ' + ARRAY + b"}"),
        ("a.ndjson", LINES.replace(b"\n", b"\r\n")),
        ("a.csv", CSV),
        ("a.csv.gz", gzip.compress(b"\xef\xbb\xbf" + CSV)),
    ],
    ids=[
        "plain",
        "byte order mark",
        "gz",
        "gz of two members",
        "zst",
        "zst of two frames",
        "array",
        "xz",
        "jsonlines",
        "objects on several lines each",
        "lines named json",
        "packed array",
        "under a key",
        "line ends of Windows",
        "csv",
        "packed csv",
    ],
)
def test_every_row_arrives_in_order(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(write(tmp_path / name, content))["question"].to_list() == [row["question"] for row in ROWS]


def test_every_row_of_a_columnar_file_arrives(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet", row_group_size=1000)
    pl.DataFrame(ROWS).write_ipc(tmp_path / "file.arrow")
    pl.DataFrame(ROWS).write_ipc_stream(tmp_path / "stream.arrow")
    for name in ("a.parquet", "file.arrow", "stream.arrow"):
        assert read(tmp_path / name)["question"].to_list() == [row["question"] for row in ROWS]


def test_one_object_a_file_is_one_row_of_each(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / f"{number}.json", json.dumps({"question": f"Q{number}?", "tags": [{"a": 1}]}, indent=2))
    assert read(tmp_path / "*.json")["question"].to_list() == ["Q1?", "Q2?"]


ASKED = [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]


@pytest.mark.parametrize(
    "content",
    [
        {"a": ASKED[0], "b": ASKED[1] | {"note": "x"}},
        {name: {str(at): row[name] for at, row in enumerate(ASKED)} for name in ASKED[0]},
        {"keyword": "sums", "example": ASKED},
        {name: [row[name] for row in ASKED] for name in ASKED[0]},
        {"columns": [*ASKED[0]], "index": [0, 1], "data": [[*row.values()] for row in ASKED]},
    ],
    ids=["rows by name", "columns as of pandas", "rows under a key", "columns", "columns and rows"],
)
def test_an_object_of_rows_is_read_row_by_row(tmp_path: Path, content: dict) -> None:
    write(tmp_path / "a.json", json.dumps(content, indent=1))
    assert read(tmp_path / "a.json").select("question", "reference_answer").rows() == [("One?", "1"), ("Two?", "2")]


def test_an_object_that_may_be_no_table_is_none(tmp_path: Path) -> None:
    for content in (
        {"question": ["One?", "Two?"], "answer": ["1"]},
        {"columns": [*ASKED[0]], "data": [["One?", "1"], ["Two?"]]},
    ):
        assert read(write(tmp_path / "a.json", json.dumps(content))).is_empty()
    for other in ("test", "validation"):
        write(tmp_path / "a.json", json.dumps({"name": "sums", "train": ASKED[:1], other: ASKED[1:]}))
        with pytest.raises(SourceError, match=f"has rows under train and {other}: write those .* file of their own"):
            read(tmp_path / "a.json")


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_is_read_whatever_its_file_is_called(tmp_path: Path, indent: int | None) -> None:
    path = write(tmp_path / "A.JSONL", json.dumps(ASKED, indent=indent) + "\n")
    assert read(path)["question"].to_list() == ["One?", "Two?"]


def test_a_pointer_of_git_lfs_is_told_from_its_file(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.parquet"):
        path = write(tmp_path / name, "version https://git-lfs.github.com/spec/v1\noid sha256:1a\nsize 3\n")
        with pytest.raises(SourceError, match="a pointer of Git LFS in place of the file: `git lfs pull` fetches it"):
            read(path)


def test_structs_are_no_rows(tmp_path: Path) -> None:
    row = {"question": {"text": "One?"}, "answer": {"text": "1"}}
    write(tmp_path / "a.json", json.dumps(row))
    assert [one for _, one in read_records(tmp_path / "a.json")] == [row]


def test_a_row_that_is_a_list_of_turns_is_a_chat(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "One?"}, {"from": "assistant", "ground_truth": {"value": "1"}}]
    write(tmp_path / "a.json", json.dumps([turns, [1, 2]]))
    (_, first), (_, second) = read_records(tmp_path / "a.json")
    assert first == {"messages": turns} and str(second) == "not an object: a list"


@pytest.mark.parametrize(("name", "by"), [("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", "\t"), ("a.tsv.gz", "\t")])
def test_cells_stand_apart_as_the_names_do(tmp_path: Path, name: str, by: str) -> None:
    content = f'\ufeffquestion{by}answer\nHow much are 3,5 and 1?{by}4,5\n"One; or{by}two?"{by}7\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert read(tmp_path / name).select("question", "reference_answer").rows() == [
        ("How much are 3,5 and 1?", "4,5"),
        (f"One; or{by}two?", "7"),
    ]


def test_a_cell_of_csv_may_hold_lines_and_commas_and_an_empty_one_is_null(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 'question,answer\n"One,\n two?",7\nThree?,\n')
    assert read(tmp_path / "a.csv").select("question", "reference_answer").rows() == [
        ("One,\n two?", "7"),
        ("Three?", None),
    ]


@settings(max_examples=30)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_survives_or_is_replaced_by_the_replacement_character(tmp_path_factory, texts: list[str]) -> None:
    lines = [json.dumps({"question": f"?{text}"}) for text in texts]
    path = write(tmp_path_factory.mktemp("any") / "a.jsonl", "\n".join(lines))
    for text, got in zip(texts, read(path)["question"], strict=True):
        assert "\0" not in got
        if "\0" not in text:
            assert got == f"?{text}"


def test_nul_and_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", r'{"question": "a\u0000b\ud800c\ud83d\ude00"}')
    assert read(path)["question"].to_list() == ["a\ufffdb\ufffdc😀"]


def test_a_question_of_ten_megabytes_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"question": "x" * 10_000_000}))
    assert read(path)["question"].str.len_chars().to_list() == [10_000_000]


def test_a_path_reaches_into_json_and_parquet_alike(tmp_path: Path) -> None:
    row = {"asked": [{"said": "hi", "info": {"tests": {"test_code": "assert f(1) == 'é'"}, "text": '{"answer": "7"}'}}]}
    write(tmp_path / "a.jsonl", json.dumps(row) + "\n")
    pl.DataFrame([row]).write_parquet(tmp_path / "a.parquet")
    paths = {
        "question": "asked.0.said",
        "test_code": "asked.0.info.tests",
        "reference_answer": "asked.0.info.text.answer",
    }
    frames = [read(tmp_path / name, columns=paths) for name in ["a.jsonl", "a.parquet"]]
    assert frames[0].equals(frames[1])
    tests = """{"test_code":"assert f(1) == 'é'","test_entry_point":null}"""
    assert frames[0].row(0) == ("hi", "7", tests, None, [])


def test_more_rows_at_fault_than_allowed_refuse_the_source_and_say_how_to_allow_them(tmp_path: Path) -> None:
    rows = [{"question": n if n < 20 else "Q?"} for n in range(1000)]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    says = r"20 of 1,000 rows can't be read: field `question`: expected text, found a number: 20 rows, at .*a\.jsonl:1"
    with pytest.raises(SourceError, match=says + ".* by `max_faults: 0.02`"):
        read(path)
    assert read(path, max_faults=0.02).height == 980
    with pytest.raises(SourceError, match="20 of 1,000"):
        read(path, max_faults=0)


def test_parquet_without_the_column_or_with_another_type_has_no_row(tmp_path: Path) -> None:
    pl.DataFrame({"question": [1, 2], "answer": [[1], [2]]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="2 of 2 rows can't be read: field `question`: expected text, found a number"):
        read(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"columns: question: no row has `questoin`; nearest is question"):
        read(tmp_path / "a.parquet", columns={"question": "questoin"})


def test_of_parquet_only_the_columns_that_are_wanted_are_read(tmp_path: Path) -> None:
    pl.DataFrame({"question": ["a"], "answer": ["b"], "other": ["c"]}).write_parquet(tmp_path / "a.parquet")
    assert list(read_records(tmp_path / "a.parquet", ["answer", "none"])) == [(1, {"answer": "b"})]


def test_locations_are_relative_absolute_globs_or_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    b, a = write(tmp_path / "b.jsonl", "b"), write(tmp_path / "a[1].jsonl", "a")
    monkeypatch.setenv("AM_TEST_FOLDER", str(tmp_path))
    assert find_files("b.jsonl", tmp_path) == [b]
    assert find_files(str(b), Path("/nowhere")) == [b]
    assert find_files("$AM_TEST_FOLDER/*.jsonl", Path("/nowhere")) == [a, b]
    assert find_files("a[1].jsonl", tmp_path) == [a]


def test_of_a_folder_the_data_files_are_read_where_they_are_one_set(tmp_path: Path) -> None:
    shards = [f"data/train-0000{n}-of-00002.jsonl" for n in (0, 1)]
    beside = ["README.md", "state.json", "data/dataset_info.json", ".cache/b.jsonl", "data/cache-1a.arrow", "a.png"]
    for name in shards + beside:
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / "own" / name, LINES)
    assert find_files("own", tmp_path) == [tmp_path / "own" / name for name in shards]
    for more in ("data/test.jsonl", "data/train.csv", "main/train-00000-of-00002.jsonl"):
        (tmp_path / "own" / more).parent.mkdir(exist_ok=True)
        write(tmp_path / "own" / more, LINES)
        with pytest.raises(SourceError, match=r"own: is a folder of several sets of files: name one of them: .*, .*"):
            find_files("own", tmp_path)
        (tmp_path / "own" / more).unlink()
    os.symlink(write(tmp_path / "b.jsonl", LINES), tmp_path / "own" / "data" / "train-2.jsonl")
    with pytest.raises(SourceError, match="a symlink leads out"):
        find_files(str(tmp_path / "own"), Path("/"))


def test_a_symlink_out_of_the_folder_that_is_written_is_refused(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    for folder in (data / "pool", other):
        folder.mkdir(parents=True)
    target = write(other / "b.jsonl", LINES)
    os.symlink(target, data / "pool" / "link.jsonl")
    os.symlink(other, data / "linked")
    for location in ("pool/link.jsonl", "pool/*.jsonl", "linked/b.jsonl", "**/*.jsonl", f"{data}/pool/*.jsonl"):
        with pytest.raises(SourceError, match=rf"a symlink leads out of .*, to {re.escape(str(target))}: name that"):
            find_files(location, data)
    with pytest.raises(SourceError, match="a symlink leads out"):
        content_hash("pool/link.jsonl", data)


def test_a_folder_that_is_written_may_itself_be_reached_by_a_symlink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    for folder in (data / "pool", other):
        folder.mkdir(parents=True)
    write(other / "b.jsonl", LINES)
    write(data / "pool" / "a.jsonl", LINES)
    os.symlink("a.jsonl", data / "pool" / "same.jsonl")
    os.symlink(data, tmp_path / "by_link")
    os.symlink(other, data / "linked")
    monkeypatch.setenv("AM_TEST_FOLDER", str(data / "linked"))
    assert len(find_files("pool/*.jsonl", tmp_path / "by_link")) == 2
    for location in ("../other/b.jsonl", "../other/*.jsonl", str(other / "*.jsonl"), "$AM_TEST_FOLDER/*.jsonl"):
        assert [path.name for path in find_files(location, data)] == ["b.jsonl"]


def test_links_in_the_cache_of_the_hub_are_followed(tmp_path: Path) -> None:
    snapshot = tmp_path / "datasets--ours--sums" / "snapshots" / "1a2b" / "data"
    blobs = snapshot.parents[2] / "blobs"
    for folder in (snapshot, blobs):
        folder.mkdir(parents=True)
    write(blobs / "9f", LINES)
    os.symlink("../../../blobs/9f", snapshot / "a.jsonl")
    os.symlink(write(tmp_path / "b.jsonl", LINES), snapshot / "b.jsonl")
    assert find_files(str(snapshot / "a.jsonl"), Path("/")) == [snapshot / "a.jsonl"]
    with pytest.raises(SourceError, match="a symlink leads out"):
        find_files(str(snapshot / "*.jsonl"), Path("/"))


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
