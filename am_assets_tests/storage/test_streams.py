"""Tables that are written and read a row group at a time: content, order, bounds, and what a killed writer leaves."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.storage import streams
from am_assets.storage.streams import Stored, Unsorted, content_version, groups, in_order, write

EMPTY = pl.DataFrame(schema={"id": pl.String, "text": pl.String})
texts = st.lists(st.text(max_size=30), max_size=40)


def table(content: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"{at:04d}" for at in range(len(content))], "text": content}, EMPTY.schema)


@settings(max_examples=50)
@given(content=texts, cut=st.integers(1, 40), most=st.integers(5, 90))
def test_groups_are_the_same_however_rows_arrive_and_hold_no_more_than_they_may(
    content: list[str], cut: int, most: int
) -> None:
    whole = table(content)
    made = [*groups(whole.iter_slices(cut), most, 7)]
    assert pl.concat([EMPTY, *made]).equals(whole)
    assert [one.height for one in made] == [one.height for one in groups([whole], most, 7)]
    assert all(one.height == 1 or (streams.text_bytes(one).sum() <= most and one.height <= 7) for one in made)


@settings(max_examples=15)
@given(order=st.permutations(range(40)), cut=st.integers(1, 40))
def test_rows_sorted_by_way_of_the_disk_are_those_sorted_in_memory(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    whole = table([f"{at} " * at for at in range(40)])
    beside = tmp_path_factory.mktemp("sorted") / "table"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(streams, "RUN_BYTES", 300)
        patched.setattr(streams, "GROUP_BYTES", 200)
        made = [*in_order(whole[order].iter_slices(cut), "id", beside)]
    assert pl.concat(made).equals(whole)
    assert not [*beside.parent.iterdir()]


@settings(max_examples=20)
@given(sought=st.sets(st.integers(0, 45)), statistics=st.booleans())
def test_rows_are_found_by_their_ids_in_whatever_row_group(
    tmp_path_factory: pytest.TempPathFactory, sought: set[int], statistics: bool
) -> None:
    path, whole = tmp_path_factory.mktemp("found") / "t.parquet", table([f"{at}" for at in range(40)])
    whole.write_parquet(path, row_group_size=7, statistics=statistics)
    ids = pl.Series("id", [f"{at:04d}" for at in sought], dtype=pl.String)
    found = [*Stored(path).batches(["id", "text"], ids)]
    assert pl.concat([EMPTY, *found]).equals(whole.filter(pl.col("id").is_in(ids.implode())))
    assert all(0 < one.height <= 7 for one in found)


def test_a_streamed_table_is_the_table_and_has_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table(["a", "", "\x00\x1e", "ä" * 50]).with_columns(
        kind=pl.Series(["x", "y", None, "x"], dtype=pl.Enum(["x", "y"])), many=pl.Series([["p"], [], None, ["q", "r"]])
    )
    written = write(whole.iter_slices(1), whole.clear(), tmp_path / "t.parquet", ["id"])
    assert not (tmp_path / "t.parquet").exists()
    assert (written.rows, written.version) == (4, content_version(whole))
    written.publish()
    assert pl.read_parquet(tmp_path / "t.parquet").equals(whole) and len([*tmp_path.iterdir()]) == 1
    monkeypatch.setattr(streams, "GROUP_BYTES", 10)
    assert write(whole.iter_slices(1), whole.clear(), tmp_path / "u.parquet", ["id"]).version != written.version
    none = write([], whole.clear(), tmp_path / "t.parquet", ["id"])
    none.publish()
    assert none.version == content_version(whole.clear())
    assert Stored(tmp_path / "t.parquet").lazy().collect().equals(whole.clear())
    assert [*Stored(tmp_path / "t.parquet").batches()] == [] and Stored(tmp_path / "t.parquet").spread(5).is_empty()


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"]])
def test_a_key_that_comes_twice_or_late_stops_the_table_and_leaves_the_one_before(
    tmp_path: Path, ids: list[str]
) -> None:
    target = tmp_path / "t.parquet"
    write([table(["as before"])], EMPTY, target, ["id"]).publish()
    parts = [pl.DataFrame({"id": [name], "text": ["x"]}) for name in ids]
    with pytest.raises(Unsorted, match=f"{ids[1]} follows {ids[0]}"):
        write(parts, EMPTY, target, ["id"])
    assert pl.read_parquet(target)["text"].to_list() == ["as before"]
    assert [*tmp_path.iterdir()] == [target]


def test_writers_killed_at_random_leave_a_whole_table_and_lose_none_that_was_acknowledged(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "am_assets_tests.storage.streams_killed", "--kills", "8"],
        capture_output=True,
        text=True,
        timeout=300,
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )
    assert "8 kills" in said.stdout, said.stderr
