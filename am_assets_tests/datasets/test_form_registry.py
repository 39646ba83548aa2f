"""Every form by the example of its adapter: found by its columns, and read as it should be."""

import base64
import json
import pickle
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.forms import recognised
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import Told, read_rows
from am_assets_tests.commands import am, applied
from am_assets_tests.desk import at_desk

# Reference, whether there are tests, and the teachers of the responses.
READ: dict[str, tuple[str | None, bool, list[str]]] = {
    "aime": ("42", False, []),
    "am": ("42", False, ["deepseek-r1"]),
    "apps": (None, True, []),
    "bigcodebench": (None, True, []),
    "bigmath": ("42", False, []),
    "chat": (None, False, ["deepseek-r1"]),
    "choices": ("B", False, []),
    "chinese_r1": (None, False, ["deepseek-r1"]),
    "codecontests": (None, True, []),
    "codeforces": (None, True, []),
    "codeforces_cots": (None, True, ["deepseek-r1"]),
    "deepcoder": (None, True, []),
    "deepmath": ("42", False, ["deepseek-r1"] * 3),
    "dolphin": (None, False, ["deepseek-r1"]),
    "full59k": ("42", False, ["gemini-2.0-flash-thinking"]),
    "generalthought": ("42", False, ["DeepSeek/DeepSeek-R1"]),
    "gpqa": ("B", False, []),
    "gsm8k": ("42", False, []),
    "humaneval": (None, True, []),
    "ifeval": (None, False, []),
    "jsonl": ("42", False, ["r1"]),
    "kodcode": (None, True, ["deepseek-r1"]),
    "leetcode": (None, True, []),
    "limo": ("42", False, ["given"]),
    "livecodebench": (None, True, []),
    "math": ("42", False, []),
    "mathinstruct": ("42", False, ["given"]),
    "mbpp": (None, True, []),
    "metamath": ("42", False, ["given"]),
    "naturalreasoning": ("42", False, ["Llama3.3-70B-Instruct"]),
    "nemotron": (None, False, ["DeepSeek-R1"]),
    "olympiadbench": ("42", False, []),
    "opencoder": (None, True, []),
    "opencodereasoning": (None, False, ["deepseek-r1"]),
    "openmathreasoning": ("42", False, ["DeepSeek-R1"]),
    "openthoughts": ("42", False, ["deepseek-r1"]),
    "openr1": ("42", False, ["deepseek-r1"] * 2),
    "orz": ("42", False, []),
    "rlvr": ("42", False, []),
    "rstarcoder": (None, True, []),
    "s1k": ("42", False, ["deepseek-r1", "gemini-2.0-flash-thinking"]),
    "synthetic1": ("42", False, ["deepseek-r1"]),
    "synthetic2": ("42", False, ["Qwen/Qwen3-32B", "Qwen/Qwen3-4B"]),
    "verl": ("42", False, []),
}


def write(folder: Path, name: str, rows: list[dict[str, Any]], suffix: str) -> str:
    path = folder / f"{name}.{suffix}"
    if suffix == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.name


def read_as(row: dict[str, Any]) -> tuple[str | None, bool, list[str]]:
    return row["reference_answer"], row["test_cases"] is not None, [one["teacher"] for one in row["published"]]


def test_every_adapter_is_tried() -> None:
    assert READ.keys() == ADAPTERS.keys()


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_form_is_found_by_its_columns_and_read(tmp_path: Path, name: str, suffix: str) -> None:
    location = write(tmp_path, "a", [ADAPTERS[name].example], suffix)
    told = Told()
    (row,) = pl.concat(read_rows(Origin(location=location, teacher="given"), tmp_path, told)).to_dicts()
    assert (told.form, read_as(row)) == (name, READ[name])
    assert row["question"].strip() and not told.faults


@pytest.mark.slow
def test_every_form_enters_the_pool_by_am_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    suffixes = ["jsonl", "parquet"] * len(ADAPTERS)
    entries = {}
    for name, suffix in zip(ADAPTERS, suffixes, strict=False):
        location = write(tmp_path / "pool", f"of_{name}", [ADAPTERS[name].example], suffix)
        entries[name] = {"location": f"pool/{location}", "rank": 1, "teacher": "given"}
    desk.write("sources.yaml", entries)
    outcomes = applied(desk, "-r", "plain", "-s", "raw_pool")
    assert outcomes == {("raw_pool", name): "done" for name in ADAPTERS}
    for name in ADAPTERS:
        (row,) = pl.read_parquet(tmp_path / "assets" / "raw_pool" / f"{name}.parquet").to_dicts()
        assert row["defect"] is None
        assert (row["reference_answer"], row["test_cases"] is not None) == READ[name][:2]
        assert sorted(one["teacher"] for one in row["published"]) == sorted(READ[name][2])
    told = json.loads(am(desk, "read", str(tmp_path / "pool" / "of_s1k.*"), "--json").stdout)["shapes"][0]
    assert (told["form"], told["rows"], len(told["sample"][0]["published"])) == ("s1k", 1, 2)


def test_columns_that_fit_two_forms_or_none_are_not_guessed() -> None:
    with pytest.raises(SourceError, match="no form is known that has the columns a, b: name them by `columns:`"):
        recognised([{"a": 1, "b": 2}], "f.jsonl")
    both = {"problem": "a", "solution": "b", "messages": [{"role": "user", "content": "a"}]}
    with pytest.raises(SourceError, match="fit chat and math: name one of these as `adapter:`"):
        recognised([both], "f.jsonl")


def test_math_of_verl_and_code_of_verl_may_share_a_file(tmp_path: Path) -> None:
    tests = json.dumps({"inputs": ["1 2\n"], "outputs": ["3\n"]})
    code = {**ADAPTERS["verl"].example, "reward_model": {"ground_truth": tests, "style": "rule"}}
    write(tmp_path, "a", [ADAPTERS["verl"].example, code], "jsonl")
    rows = pl.concat(read_rows(Origin(location="a.jsonl"), tmp_path)).to_dicts()
    assert [read_as(row)[:2] for row in rows] == [("42", False), (None, True)]


def squeezed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def packed(content: object, protocol: int | None = None) -> str:
    return squeezed(pickle.dumps(content, protocol))


class Hostile:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("/tmp/am-assets-unpickled"),))


def test_packed_private_tests_are_read(tmp_path: Path) -> None:
    row = ADAPTERS["livecodebench"].example
    private = [packed(row["private_test_cases"], protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    write(tmp_path, "a", [row | {"private_test_cases": text} for text in private], "jsonl")
    for found in pl.concat(read_rows(Origin(location="a.jsonl"), tmp_path)).to_dicts():
        assert json.loads(found["test_cases"]) == {"inputs": ["1 2\n", "5 6\n"], "outputs": ["3\n", "11\n"]}


@pytest.mark.parametrize(
    ("private", "says"),
    [
        (packed(Hostile()), r"field `private_test_cases`: can't be unpacked \(ValueError\)"),
        (packed(["x"]), "field `private_test_cases`: expected a list of tests|can't be unpacked"),
        (packed(["[]", "[]"]), "can't be unpacked"),
        (packed("[" * 200_000), r"can't be unpacked \(RecursionError\)"),
        (squeezed(b"garbage"), "can't be unpacked"),
        (
            squeezed(b"\x80\x05\x8d" + (2**63).to_bytes(8, "little") + b"."),
            "can't be unpacked",
        ),  # a text of 2**63 bytes
        (squeezed(b"\x80\x05\x96" + (2**46).to_bytes(8, "little") + b"."), "can't be unpacked"),  # room for 2**46
        (squeezed(b"\x80\x02K\x01r\xff\xff\xff\x7f."), "can't be unpacked"),  # a memo of 2**31 places
        (packed("[1, 2]")[:-9], "can't be unpacked"),
        ("no base64!", "can't be unpacked"),
    ],
)
def test_a_pickle_that_is_no_text_is_refused_and_nothing_in_it_runs(tmp_path: Path, private: str, says: str) -> None:
    rows = [ADAPTERS["livecodebench"].example | {"private_test_cases": private}] * 2
    write(tmp_path, "a", rows, "jsonl")
    with pytest.raises(SourceError, match=says):
        pl.concat(read_rows(Origin(location="a.jsonl"), tmp_path))
    assert not Path("/tmp/am-assets-unpickled").exists()
