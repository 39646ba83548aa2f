"""Bad inputs, and what each must give: an error that names file, line and field, a counted drop, or the text as it was
meant. None reads as something else."""

import bz2
import gzip
import json
import lzma
import os
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import dagster as dg
import polars as pl
import pyarrow
import pytest
import zstandard
from typer.testing import CliRunner

from am_assets.cli import app
from am_assets.datasets import compression
from am_assets_tests.commands import am, applied
from am_assets_tests.datasets.files import (
    Write,
    among,
    chat,
    in_texts,
    jsonl,
    link,
    not_utf8,
    one_line,
    parquet,
    stream,
    turn,
)  # fmt: skip
from am_assets_tests.desk import Desk, at_desk


class Error(NamedTuple):
    """The file is refused: after its name, the line where there is one, and words that match."""

    says: str


class Drop(NamedTuple):
    """The second of three rows is dropped for this reason, by its line, and the others are read."""

    says: str
    field: str = ""


class Reads(NamedTuple):
    """All rows are read, with these values and a note that is counted."""

    rows: list[dict[str, Any]]
    note: str = ""


class Shows(NamedTuple):
    """These words stand in what a person is shown."""

    says: str


class Case(NamedTuple):
    content: bytes | Write
    gives: Error | Drop | Reads | Shows
    file: str = "a.jsonl"
    options: tuple[str, ...] = ()


ONE = {"question": "One?", "reference_answer": "1"}
LINES, ARRAY = jsonl(*[ONE] * 3), json.dumps([ONE] * 3).encode()
ASKED, SAID = turn("user", "Q?"), turn("assistant", "A.")
TABLE, CANONICAL = {"inputs": ["1"], "outputs": ["2"]}, '{"inputs":["1"],"outputs":["2"]}'
INFO = {"question": "One?", "info": {"answer": "1"}}
PATHS = ("--adapter", "jsonl", "--column", "reference_answer=info.answer")
WIDE = {"question": "One?"} | {f"column_{number}": number for number in range(10_000)}
MANY = pyarrow.table({"question": ["One?"] * 99})
LONG = pyarrow.table({"question": ["One?"], "answer": pyarrow.array([Decimal("1" * 50)], pyarrow.decimal256(60))})
BYTES = pyarrow.table({"question": [b"One?"] * 2})
TWICE = pyarrow.table([["One?"], ["Two?"]], ["question", "question"])
NO_TEXT = pyarrow.table({"question": not_utf8(b"One?", b"\xff\xfe", b"One?")})
ANSWERS = pyarrow.StructArray.from_arrays([not_utf8(b"1", b"\xff", b"1")], ["answer"])
STRUCTS = pyarrow.table({"question": ["One?"] * 3, "info": ANSWERS})
BOMB = b"\n" * 15_000_000
CHAT, NO_JSON = "conversations", "tests: text that begins as JSON and is none"

CASES = {
    # Encodings and lines
    "a byte order mark": Case(b"\xef\xbb\xbf" + LINES, Reads([ONE] * 3)),
    "a mark where files were joined": Case((b"\xef\xbb\xbf" + LINES) * 2 + b"\xef\xbb\xbf", Reads([ONE] * 6)),
    "UTF-16": Case(LINES.decode().encode("utf-16"), Error("1: not UTF-8 but UTF-16 or UTF-32")),
    "UTF-16 in CSV": Case("question\nOne?".encode("utf-16"), Error("1: not UTF-8 but UTF-16 or UTF-32"), "a.csv"),
    "Latin-1 among UTF-8": Case(among('{"question": "é"}'.encode("latin-1")), Drop("not UTF-8")),
    "surrogates as UTF-8": Case(among(b'{"question": "\xed\xa0\x80"}'), Drop("not UTF-8")),
    "Latin-1 in an array": Case(b'[\n{"question": "\xe9"}]', Error("2: not UTF-8"), "a.json"),
    "Latin-1 in CSV": Case(b"question\nOne?\n\xe9\n", Error("3: not UTF-8"), "a.csv"),
    "bytes that are no text in Parquet": Case(parquet(NO_TEXT), Drop("not UTF-8", "question"), "a.parquet"),
    "such bytes deep in a struct": Case(parquet(STRUCTS), Drop("not UTF-8", "info"), "a.parquet", PATHS),
    "NUL as an escape": Case(rb'{"question": "a\u0000b"}', Reads([{"question": "a\ufffdb"}])),
    "NUL as a byte": Case(among(b'{"question": "\0"}'), Drop("not JSON")),
    "half a surrogate pair": Case(rb'{"question": "a\ud800"}', Reads([{"question": "a\ufffd"}])),
    "ends of lines of old Macs": Case(LINES.replace(b"\n", b"\r"), Error("1: not JSON; the file ends")),
    "a line of 100 MB": Case(
        one_line(b"x", 100_000_000), Shows("note: an oversized question, a defect in the pool: 1 row"),
    ),
    "a line without end": Case(one_line(b"x", 120_000_000), Error("1: a line of more than 110 MB")),
    # Syntax
    "JSON cut off": Case(LINES[:-9], Error("3: not JSON; the file ends in the middle of this line")),
    "a line cut within": Case(among(b'{"question": "On'), Drop("not JSON")),
    "an array cut off": Case(ARRAY[:-5], Error("1: not JSON"), "a.json"),
    "objects over several lines": Case(json.dumps(ONE, indent=1).encode() * 3, Reads([ONE] * 3)),
    "objects over several lines, cut off": Case(json.dumps(ONE, indent=1).encode() * 3 + b"{", Error("4: not JSON")),
    "a spreadsheet": Case(b"PK", Error(r" unknown format: a spreadsheet: save its sheet as CSV"), "a.xlsx"),
    "an archive": Case(gzip.compress(b"a"), Error(" unknown format: an archive: unpack it, and name"), "a.tar.gz"),
    "Python for JSON": Case(among(b"{'question': 'One?'}"), Drop("not JSON")),
    "a list for an object": Case(among(b'["One?"]'), Drop("not an object: a list")),
    "null for an object": Case(json.dumps([ONE, None, ONE]).encode(), Drop("not an object: null"), "a.json"),
    "text for rows": Case(b'"One?"', Error(" expected objects, found text"), "a.json"),
    "rows under two names": Case(b'{"train": [{}], "test": [{}]}', Error(" has rows under train and test"), "a.json"),
    "a name twice": Case(among(b'{"question": "One?", "question": "Two?"}'), Drop("twice in one object", "question")),
    "nesting without end": Case(
        among(b'{"question": ' + b"[" * 200_000), Drop("not JSON|JSON beyond what can be read"),
    ),
    "a number of 5,000 digits": Case(
        among(b'{"question": ' + b"9" * 5_000 + b"}"), Drop("JSON beyond what can be read"),
    ),
    "a number beyond all": Case(among({"answer": float("inf")}), Drop("a number beyond what can be read", "answer")),
    "a web page": Case(b"<!DOCTYPE html>\n<html></html>\n", Error("1: not JSON; of 2 rows none can be read")),
    "a quote in CSV that nothing closes": Case(
        b'question\nOne?\n"Two?\nThree?\n', Error("3: not CSV: unexpected end"), "a.csv",
    ),
    "a column of CSV twice": Case(b"question,question\nOne?,Two?\n", Error("1: two columns `question`"), "a.csv"),
    "a cell too many": Case(
        b"question,answer\nOne?,1\nTwo?,2,3\nOne?,1\n", Drop("more or fewer cells than names .*"), "a.csv",
    ),
    "CSV by semicolons": Case(
        b"question;answer\nOne?;1,5\n", Reads([{"question": "One?", "reference_answer": "1,5"}]), "a.csv",
    ),
    # Columns
    "10,000 columns": Case(jsonl(WIDE), Reads([{"question": "One?"}])),
    "10,000 columns of Parquet": Case(
        parquet(pl.DataFrame([WIDE]).to_arrow()), Reads([{"question": "One?"}]), "a.parquet",
    ),
    "10,000 columns that are no form": Case(
        jsonl(WIDE | {"question": None}), Error(".* column_28, and 9,971 more: name"),
    ),
    "a column that acts on terminals": Case(
        jsonl({"\u001b[2J\u202ered": 1}), Error(r" no form is known that has the columns \ufffd\[2J\ufffdred: name"),
    ),
    "columns of no name": Case(b"{}\n", Error(" the first rows have no columns")),
    "a column of Parquet twice": Case(parquet(TWICE), Error("1: can't be read as Parquet: .*question"), "a.parquet"),
    "another type half-way": Case(among({"question": 5}), Drop("expected text, found a number", "question")),
    "a struct that becomes a number": Case(
        jsonl(INFO, INFO | {"info": {"answer": {"a": 1}}}, INFO),
        Drop("expected text, found an object", "info.answer"), options=PATHS,
    ),
    "a struct that becomes broken text": Case(
        jsonl(INFO, INFO | {"info": '{"answer": "1'}, INFO), Drop("text on its path .*", "info.answer"), options=PATHS,
    ),
    "a struct that becomes JSON text": Case(
        jsonl(INFO, INFO | {"info": '{"answer": "1"}'}, INFO), Reads([ONE] * 3), options=PATHS,
    ),
    "a list of nulls": Case(jsonl(ONE | {"reference_answer": [None, None]}), Reads([{"reference_answer": None}])),
    "nested nulls": Case(among({"answer": [[None]]}), Drop("expected text, found a list", "answer")),
    "a null among responses": Case(
        among({"response": ["A.", None]}),
        Reads([{}, {"published": [{"teacher": "r1", "response": "A."}, {"teacher": "r1", "response": ""}]}, {}]),
    ),
    "a null among objects": Case(
        among({"response": [{"text": "A."}, None]}),
        Reads([{}, {"published": [{"teacher": "r1", "response": "A."}, {"teacher": "r1", "response": ""}]}, {}]),
    ),
    "an object and no list": Case(
        among({"response": {"model": "m", "content": "A."}}),
        Reads([{}, {"published": [{"teacher": "m", "response": "A."}]}, {}]),
    ),
    "an object without text": Case(
        among({"response": [{"text": "A."}, {"grade": 1}]}),
        Drop("a response with grade, of which none is its text: .*", "response"),
    ),
    "an object that was cut off": Case(
        among({"response": [{"text": "A.", "finish_reason": "stop"}, {"text": "B", "finish_reason": "length"}]}),
        Reads(
            [{}, {"published": [{"teacher": "r1", "response": "A."}]}, {}],
            "a response cut off by its token limit, left out",
        ),
    ),
    "thoughts that are too few": Case(
        among({"response": ["A.", "B."], "reasoning": ["x"]}),
        Drop("expected one for each of 2 responses, found 1", "reasoning"),
    ),
    "a question of null": Case(
        jsonl({"question": None, "answer": 1}, ONE),
        Reads([{"question": None}, ONE], "an empty question, a defect in the pool"),
    ),
    "no question": Case(jsonl(ONE, {"answer": 1}, ONE), Drop("no field `question`")),
    "an option of null": Case(among({"Correct Answer": None}, "gpqa"), Drop("an empty option", "Correct Answer")),
    # Chats
    "an empty chat": Case(chat(), Drop("an empty chat", CHAT)),
    "a chat of null": Case(among({"conversations": None}, "chat"), Drop("an empty chat", CHAT)),
    "a chat of nulls": Case(chat(None, None), Drop("no chat, .*", CHAT)),
    "a null among turns": Case(chat(ASKED, None), Drop("a chat with a turn that has no role", CHAT)),
    "a role that is not known": Case(chat(ASKED, turn("tool", "42")), Drop("a chat with a turn of role tool", CHAT)),
    "a role of null": Case(chat(ASKED, turn(None, "A.")), Drop("a chat with a turn that has no role", CHAT)),
    "an answer first": Case(chat(SAID), Drop("a chat that the assistant begins", CHAT)),
    "two questions": Case(chat(ASKED, ASKED), Drop("a chat with two questions in a row", CHAT)),
    "several turns": Case(chat(ASKED, SAID, ASKED), Drop("a chat of several turns; .*", CHAT)),
    "a turn that says nothing": Case(
        chat(ASKED, {"role": "assistant", "contents": "A."}), Drop("a chat with a turn that has no content", CHAT),
    ),
    "a call of a tool": Case(
        chat(ASKED, turn("assistant", None, tool_calls=[{"id": "1"}])),
        Drop("a chat with a turn that calls a tool", CHAT),
    ),
    "an image": Case(
        chat(turn("user", [{"type": "image_url", "image_url": "x"}]), SAID),
        Drop("holds a part of type image_url", CHAT),
    ),
    "a part of text without text": Case(
        chat(ASKED, turn("assistant", [{"type": "text", "text": 5}])),
        Drop("holds a part of type text whose text is a number", CHAT),
    ),
    "a chat cut off in text": Case(
        among({"conversations": '[{"role": "user", "content": "Q'}, "chat"), Drop("no chat, .*", CHAT),
    ),
    "an answer cut off": Case(
        chat(ASKED, SAID, finish_reason="length"),
        Reads([{}, {"published": []}, {}], "a response cut off by its token limit, left out"),
    ),
    "thinking that is a number": Case(
        chat(ASKED, turn("assistant", "A.", reasoning_content=5)), Drop("expected text, found a number", CHAT)
    ),
    "responses as one text": Case(
        among({"generations": "['a' 'b']"}, "openr1"), Drop("expected a list of responses, found text", "generations")
    ),
    # Tests
    "tests in JSON in JSON in JSON": Case(
        jsonl(ONE | {"test_cases": in_texts(3, TABLE)}), Reads([{"test_cases": CANONICAL}]),
    ),
    "tests in six texts of JSON": Case(among({"test_cases": in_texts(6, TABLE)}), Drop(NO_JSON, "test_cases")),
    "tests cut off": Case(among({"test_cases": in_texts(1, TABLE)[:-9]}), Drop(NO_JSON, "test_cases")),
    "code that begins with a text": Case(
        jsonl(ONE | {"test_code": '"""[x]"""\nassert f()'}), Reads([{"question": "One?"}]),
    ),
    "fewer outputs than inputs": Case(
        among({"test_cases": {"inputs": ["1"]}}), Drop("tests: expected as many outputs as inputs", "test_cases"),
    ),
    "tests of no known form": Case(
        among({"test_cases": {"cases": []}}), Drop("tests of an unknown form", "test_cases"),
    ),
    "a table of tests cut off": Case(
        among({"public_tests": '{"input": ["1'}, "codecontests"),
        Drop("tests: expected a table, found text", "public_tests"),
    ),
    "public tests cut off": Case(
        among({"public_test_cases": '[{"input": "1'}, "livecodebench"),
        Drop("expected a list of tests", "public_test_cases"),
    ),
    "what is checked by, cut off": Case(
        among({"reward_model": {"ground_truth": '{"inputs": ["1'}}, "verl"), Drop(NO_JSON, "reward_model.ground_truth"),
    ),
    "no check": Case(among({"test": None}, "humaneval"), Drop("no tests", "test")),
    "a function that is a list": Case(
        among({"test_cases": [{"input": "1", "output": "2", "fn_name": ["f"]}]}),
        Drop("tests: fn_name: expected text, found a list", "test_cases"),
    ),
    "tests of several functions": Case(
        among({"test_cases": [{"input": "1", "output": "2", "fn_name": name} for name in "fg"]}),
        Drop("tests of several functions", "test_cases"),
    ),
    "assertions as one text": Case(among({"test_list": "assert f()"}, "mbpp"), Drop("no tests", "test_list")),
    "answers for tests": Case(
        jsonl({"prompt": [ASKED], "reward_model": {"ground_truth": ["1", 2]}}),
        Reads([{"reference_answer": '{"any_of":["1","2"]}', "test_cases": None}]),
    ),
    # Packed files
    "a bomb of gz": Case(gzip.compress(BOMB), Error(" unpacks to more than 100 times its size"), "a.jsonl.gz"),
    "a bomb of zst": Case(zstandard.compress(BOMB), Error(" unpacks to more than 100 times"), "a.jsonl.zst"),
    "a bomb of xz": Case(lzma.compress(BOMB), Error(" unpacks to more than 100 times its size"), "a.jsonl.xz"),
    "gz cut off": Case(gzip.compress(LINES)[:-9], Error(" damaged or cut off"), "a.jsonl.gz"),
    "zst cut off": Case(zstandard.compress(LINES)[:-9], Error(" damaged or cut off"), "a.jsonl.zst"),
    "xz cut off": Case(lzma.compress(LINES)[:-9], Error(" damaged or cut off"), "a.jsonl.xz"),
    "gz by name only": Case(LINES, Error(" damaged or cut off"), "a.jsonl.gz"),
    "gz with more behind it": Case(gzip.compress(LINES) + b"more", Error(" damaged or cut off"), "a.jsonl.gz"),
    "gz in gz": Case(gzip.compress(gzip.compress(LINES, mtime=0)), Error("1: not UTF-8; the file ends"), "a.jsonl.gz"),
    "bz2": Case(bz2.compress(LINES), Reads([ONE] * 3), "a.jsonl.bz2"),
    "Parquet in gz": Case(gzip.compress(LINES), Error(" unknown format"), "a.parquet.gz"),
    "zst with a frame to skip": Case(
        b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zstandard.compress(LINES), Reads([ONE] * 3), "a.jsonl.zst",
    ),
    # Columnar files
    "Parquet cut short": Case(parquet(MANY, cut=-20), Error("1: can't be read as Parquet"), "a.parquet"),
    "Parquet with a bit flipped": Case(
        parquet(MANY, flip=200), Error("1: can't be read as Parquet: .*CRC"), "a.parquet",
    ),
    "Parquet without rows": Case(parquet(MANY[:0]), Error(" holds no rows"), "a.parquet"),
    "Parquet by name only": Case(LINES, Error("1: can't be read as Parquet"), "a.parquet"),
    "bytes for a question": Case(
        parquet(BYTES), Shows("dropped: field `question`: expected text, found a bytes: 2 rows"), "a.parquet",
    ),
    "an Arrow stream cut between two batches": Case(
        stream(3, -8), Error("4: can't be read as Arrow: cut off"), "a.arrow",
    ),
    "an Arrow stream cut in a batch": Case(stream(3, -40), Error("3: can't be read as Arrow"), "a.arrow"),
    "Arrow by name only": Case(LINES, Error("1: can't be read as Arrow"), "a.arrow"),
    "an empty file": Case(b"", Error("1: can't be read as Arrow"), "a.arrow"),
    "decimals of 256 bits": Case(parquet(LONG), Error("1: can't be read as Parquet: .*Int256"), "a.parquet"),
    "an empty array file": Case(b"", Error(" holds no rows"), "a.json"),
    "blank lines": Case(b"\n \n", Error(" holds no rows")),
    # Places
    "a symlink out of the folder": Case(
        link("../beside/b.jsonl", LINES), Error(" a symlink leads out of .*, to .*beside/b.jsonl: name that path"),
    ),
    "a symlink within it": Case(link("sub/b.jsonl", LINES), Reads([ONE] * 3)),
    "a symlink to itself": Case(lambda path: path.symlink_to(path), Error(" can't be read")),
    "a pipe": Case(os.mkfifo, Error(" is no regular file")),
    "a device": Case(lambda path: path.symlink_to("/dev/zero"), Error(" is no regular file")),
    "a folder": Case(Path.mkdir, Error(" is a folder")),
}  # fmt: skip


def write(path: Path, content: bytes | Write) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `am read` runs. Bombs and lines without end are small ones."""
    monkeypatch.setattr(compression, "ANY_BYTES", 1_000_000)
    monkeypatch.setattr(compression, "MOST_RATIO", 100)
    monkeypatch.setattr(compression, "MOST_LINE_BYTES", 110_000_000)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("name", CASES)
def test_it_gives_what_it_must(folder: Path, name: str) -> None:
    case = CASES[name]
    write(folder / case.file, case.content)
    options = case.options if isinstance(case.gives, Shows) else (*case.options, "--json")
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["read", case.file, *options])
    assert ran.exit_code == (2 if isinstance(case.gives, Error) else 0), ran.output
    match case.gives:
        case Error(says):
            assert re.match(re.escape(f"{folder / case.file}:") + says, ran.output), ran.output
        case Shows(says):
            assert says in ran.output
        case Drop(says, field):
            found = json.loads(ran.output)["shapes"][0]
            reason = says if not field else f"field `{re.escape(field)}`: {says}"
            ((told, places),) = found["dropped_at"].items()
            assert re.fullmatch(reason, told) and found["dropped"] == {told: 1}
            assert places == [f"{folder / case.file}:{3 if case.file == 'a.csv' else 2}"]
            assert found["sample"] == [found["sample"][0]] * 2
        case Reads(rows, note):
            found = json.loads(ran.output)["shapes"][0]
            assert (found["dropped"], found["notes"], found["rows"]) == ({}, {note: 1} if note else {}, len(rows))
            assert all(row == row | wanted for row, wanted in zip(found["sample"], rows, strict=False))


APPLIED = ["UTF-16", "another type half-way", "a role that is not known", "Parquet cut short", "a bomb of zst"]


@pytest.mark.slow
def test_apply_says_the_same_and_stores_no_row_of_a_file_that_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_desk(folder, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    entries = {}
    for number, name in enumerate(APPLIED):
        (folder / "pool" / str(number)).mkdir()
        write(folder / "pool" / str(number) / CASES[name].file, CASES[name].content)
        entries[f"s{number}"] = {"location": f"pool/{number}/{CASES[name].file}", "rank": 1, "teacher": "r1"}
    desk.write("sources.yaml", entries)
    output = am(desk, "apply", "-r", "plain", "-s", "raw_pool").output
    for number, name in enumerate(APPLIED):
        case = CASES[name]
        place = re.escape(str(folder / "pool" / str(number) / case.file))
        if isinstance(case.gives, Error):
            assert re.search(rf"failed raw_pool\[s{number}\]: .*SourceError: {place}:{case.gives.says}", output), output
            assert not (folder / "assets" / "raw_pool" / f"s{number}.parquet").exists()
        else:
            assert isinstance(case.gives, Drop)
            assert pl.read_parquet(folder / "assets" / "raw_pool" / f"s{number}.parquet")["copies"].to_list() == [2]
            reason = f"field `{case.gives.field}`: {case.gives.says}"
            assert at_fault(desk, f"s{number}") == {reason: f"1 row, at {folder}/pool/{number}/{case.file}:2"}


def at_fault(desk: Desk, shard: str) -> dict[str, str]:
    """What the metadata of the table tells of rows that were dropped."""
    key = dg.AssetKey("raw_pool")
    with desk.instance() as instance:
        wanted = dg.AssetRecordsFilter(key, asset_partitions=[shard])
        (record,) = instance.fetch_materializations(wanted, limit=1).records
        return record.asset_materialization.metadata["rows_at_fault"].value


def test_apply_follows_no_symlink_out_of_the_project_and_says_what_to_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_desk(folder, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    link("../../beside/b.jsonl", LINES)(folder / "pool" / "a.jsonl")
    desk.write("sources.yaml", {"s": desk.source("a", 1)})
    refused = am(desk, "apply", "-r", "plain", "-s", "raw_pool")
    target = folder.parent / "beside" / "b.jsonl"
    assert refused.exit_code != 0
    assert f"a symlink leads out of {folder}, to {target}: name that path" in " ".join(refused.output.split())
    desk.write("sources.yaml", {"s": desk.source("a", 1) | {"location": str(target)}})
    assert applied(desk, "-r", "plain", "-s", "raw_pool") == {("raw_pool", "s"): "done"}
