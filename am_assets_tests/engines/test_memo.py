"""The memo: what was measured once is never measured again, and what is stored is whole."""

from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.engines.memo import Memo, key_of, with_keys


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


def test_a_segment_that_was_not_finished_is_never_read(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    memo.fill("lengths", wanted("a"), Counting(), LENGTH)
    (tmp_path / "lengths" / "00000009-half.aside").write_bytes(b"PAR1 torn")
    assert memo.fill("lengths", wanted("a"), Counting(), LENGTH).table.height == 1


def test_the_first_of_two_answers_to_one_key_stands(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    for length in (1, 2):
        memo.append("lengths", pl.DataFrame({"key": [key_of("length", "a")], "length": [length]}))
    assert memo.fill("lengths", wanted("a"), Counting(), LENGTH).table["length"].to_list() == [1]


def test_nothing_wanted_is_an_empty_table(tmp_path: Path) -> None:
    assert Memo(tmp_path).fill("lengths", wanted(), Counting(), LENGTH).table.is_empty()


def _append(folder: str, start: int) -> None:
    memo = Memo(Path(folder))
    for number in range(start, start + 20):
        memo.append("numbers", pl.DataFrame({"key": [str(number)], "number": [number]}))


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_append, args=(str(tmp_path), start)) for start in (0, 20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    known = Memo(tmp_path).known("numbers")
    assert known is not None
    assert sorted(known.collect()["number"]) == list(range(40))


def test_keys_tell_apart_whatever_differs() -> None:
    assert key_of("a", "b") != key_of("ab")
    assert key_of({"x": 1, "y": 2}) == key_of({"y": 2, "x": 1})
    assert key_of(1) != key_of("1")
