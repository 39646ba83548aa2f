from pathlib import Path

import polars as pl
import pytest

from am_assets.storage.mapped import MappedTables


def vectors(seed: int) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"question_id": [f"{seed}-{n}"], "vector": [[0.5 * n, seed]]}).cast(
            {"vector": pl.List(pl.Float32)}
        )
        for n in range(3)
    )


def test_a_table_is_read_once_a_version_and_only_its_last_version_is_kept(tmp_path: Path):
    kept, read = MappedTables(tmp_path), []

    def reader(seed: int):
        return lambda: read.append(seed) or vectors(seed)

    for version, seed in [("first", 1), ("first", 2), ("second", 3), ("second", 4), ("first", 5)]:
        table = kept.read("shard", version, reader(seed))
        assert table.equals(vectors({1: 1, 2: 1, 3: 3, 4: 3, 5: 5}[seed]))
        assert [path.name for path in tmp_path.iterdir()] == [f"shard.{version}.arrow"]
    assert read == [1, 3, 5]


def test_a_table_that_is_mapped_stays_whole_when_its_file_is_replaced(tmp_path: Path):
    kept = MappedTables(tmp_path)
    kept.read("shard", "first", lambda: vectors(1))
    mapped = kept.read("shard", "first", lambda: vectors(2))
    assert "shard.first.arrow" in Path("/proc/self/maps").read_text()
    kept.read("shard", "second", lambda: vectors(3))
    assert mapped.equals(vectors(1))


def test_what_could_not_be_read_is_not_kept(tmp_path: Path):
    kept = MappedTables(tmp_path)
    with pytest.raises(ZeroDivisionError):
        kept.read("shard", "first", lambda: 1 / 0)
    assert not [*tmp_path.iterdir()]
