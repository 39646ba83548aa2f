"""Segments: whole or absent, merged without losing a row, and damage is named."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from am_assets.storage import copies, segments
from am_assets.storage.memo import Memo

SCHEMA = pl.Schema({"key": pl.String, "n": pl.Int64})


def store(folder: Path, *numbers: int, n: int | None = None) -> None:
    segments.write(folder, pl.DataFrame({"key": [str(number) for number in numbers], "n": n or list(numbers)}))


def read(folder: Path) -> list[tuple]:
    return pl.concat([pl.read_parquet(path) for path in segments.listed(folder)], how="diagonal").rows()


def test_a_merge_keeps_every_row_and_the_order_of_storing(tmp_path: Path) -> None:
    for number in range(40):
        store(tmp_path, number)
    segments.merge(tmp_path)
    assert len(segments.listed(tmp_path)) == 1
    assert read(tmp_path) == [(str(number), number) for number in range(40)]


def test_of_two_rows_with_one_key_a_merge_keeps_the_first_stored(tmp_path: Path) -> None:
    for number in range(20):
        store(tmp_path, 7, n=number + 1)
    segments.merge(tmp_path)
    assert read(tmp_path) == [("7", 1)]


def test_few_segments_and_large_ones_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(segments.MIN_RUN - 1):
        store(tmp_path, number)
    before = segments.listed(tmp_path)
    segments.merge(tmp_path)
    assert segments.listed(tmp_path) == before
    monkeypatch.setattr(segments, "SMALL_BYTES", 1)
    store(tmp_path, 99)
    segments.merge(tmp_path)
    assert len(segments.listed(tmp_path)) == segments.MIN_RUN


def test_a_merge_that_dies_before_its_parts_are_gone_doubles_nothing_for_a_reader(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "numbers"
    for number in range(20):
        store(folder, number)
    monkeypatch.setattr(copies.DISK, "remove", lambda paths: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        segments.merge(folder)
    assert len(segments.listed(folder)) == 21
    wanted = pl.DataFrame({"key": [str(number) for number in range(20)]})
    assert Memo(tmp_path).read("numbers", wanted, SCHEMA).sort("n").rows() == [(str(n), n) for n in range(20)]


def test_columns_that_came_later_live_through_a_merge(tmp_path: Path) -> None:
    for number in range(20):
        extra = {"note": "late"} if number > 9 else {}
        segments.write(tmp_path, pl.DataFrame({"key": [str(number)], **extra}))
    segments.merge(tmp_path)
    assert [row[1] for row in read(tmp_path)] == [None] * 10 + ["late"] * 10


def test_a_torn_file_aside_is_never_read_and_goes_after_a_day(tmp_path: Path) -> None:
    store(tmp_path, 1)
    torn = tmp_path / "00000000000000000001-torn.aside"
    torn.write_bytes(b"PAR1 torn")
    assert read(tmp_path) == [("1", 1)]
    segments.merge(tmp_path)
    assert torn.exists()  # its writer may still be at it
    os.utime(torn, (0, 0))
    segments.merge(tmp_path)
    assert not torn.exists()


def test_a_damaged_segment_is_named_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    store(folder, 1)
    store(folder, 2)
    broken = segments.listed(folder)[1]
    broken.write_bytes(broken.read_bytes()[:-20])
    wanted = pl.DataFrame({"key": ["1", "2"]})
    for look in (
        lambda: Memo(tmp_path).missing("numbers", wanted),
        lambda: Memo(tmp_path).read("numbers", wanted, SCHEMA),
        lambda: Memo(tmp_path).known("numbers"),
        lambda: segments.keep_only(folder, wanted.head(1)),
    ):
        with pytest.raises(segments.DamagedSegment, match="Put a copy of it back") as error:
            look()
        assert str(broken) in str(error.value)


def test_what_is_not_wanted_goes_and_the_rest_stays(tmp_path: Path) -> None:
    for number in range(5):
        store(tmp_path, number, number + 10)
    wanted = pl.DataFrame({"key": ["1", "11", "12"]})
    assert segments.keep_only(tmp_path, wanted) == 7
    assert read(tmp_path) == [("1", 1), ("11", 11), ("12", 12)]
    assert segments.keep_only(tmp_path, wanted) == 0


def test_what_is_not_wanted_goes_once_another_process_has_merged(tmp_path: Path) -> None:
    store(tmp_path, 1)
    with ThreadPoolExecutor(1) as other:
        with copies.DISK.alone(tmp_path, wait=True):
            removed = other.submit(segments.keep_only, tmp_path, pl.DataFrame({"key": ["2"]}))
            with pytest.raises(TimeoutError):
                removed.result(0.2)
        assert removed.result(10) == 1


def test_merges_that_are_always_faster_than_a_reader_wait_for_it_in_the_end(tmp_path: Path) -> None:
    def read_late(paths: list[Path]) -> int:
        for number in range(segments.MIN_RUN):  # a busy neighbour: what was just listed is merged away
            segments.write(tmp_path, pl.DataFrame({"key": [f"{len(tried)}-{number}"]}))
        segments.merge(tmp_path)
        tried.append(len(paths))
        return pl.concat([pl.read_parquet(path) for path in paths]).height

    tried: list[int] = []
    segments.write(tmp_path, pl.DataFrame({"key": ["first"]}))
    assert segments.read_consistently(tmp_path, read_late) == 1 + segments.MIN_RUN * segments.MAX_ATTEMPTS
    assert len(tried) == segments.MAX_ATTEMPTS + 1


def test_a_segment_says_how_many_values_are_null(tmp_path: Path) -> None:
    segments.write(tmp_path, pl.DataFrame({"key": ["a", "b"], "message": ["{}", None], "none": [None, None]}))
    (path,) = segments.listed(tmp_path)
    assert segments.nulls(path) == {"key": 0, "message": 1, "none": 2}


def test_a_disk_error_that_polars_tells_in_words_keeps_its_number_and_names_the_file(tmp_path: Path) -> None:
    said = "parquet: File out of specification: underlying IO error: No space left on device (os error 28)"
    with pytest.raises(OSError, match=r"table: No space left") as told, segments.disk_errors(tmp_path / "table"):
        raise pl.exceptions.ComputeError(said)
    assert told.value.errno == errno.ENOSPC
