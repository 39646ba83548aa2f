"""How tables are stored: whole or not at all, by content, and missing ones by name."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from am_assets.orchestration.resources import TableStore
from am_assets.orchestration.tables import content_version
from am_assets.storage.segments import write_durably

SHARDS = dg.StaticPartitionsDefinition(["a", "b"])


@dg.asset(partitions_def=SHARDS, io_manager_key="tables")
def numbers(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"shard_name": [context.partition_key]})


def reader(skip_missing: bool) -> dg.AssetsDefinition:
    fan_in = dg.AssetIn(
        partition_mapping=dg.AllPartitionMapping(), metadata={"fan_in": "shard", "skip_missing": skip_missing}
    )

    @dg.asset(ins={"numbers": fan_in}, io_manager_key="values")
    def read(numbers: pl.DataFrame) -> list[dict]:
        return numbers.to_dicts()

    return read


def run(folder: Path, *partitions: str, skip_missing: bool = False):
    resources = {"tables": TableStore(folder), "values": dg.mem_io_manager}
    assets = [numbers, reader(skip_missing)]
    instance = dg.DagsterInstance.ephemeral()
    for partition in partitions:
        dg.materialize([numbers], partition_key=partition, resources=resources, instance=instance)
    result = dg.materialize(assets, selection=["read"], resources=resources, instance=instance, raise_on_error=False)
    return result


def test_all_partitions_come_as_one_table_that_names_them(tmp_path: Path) -> None:
    read = run(tmp_path, "a", "b").output_for_node("read")
    assert read == [{"shard_name": "a", "shard": "a"}, {"shard_name": "b", "shard": "b"}]


def test_one_partition_of_several_is_named_as_well(tmp_path: Path) -> None:
    assert run(tmp_path, "b", skip_missing=True).output_for_node("read") == [{"shard_name": "b", "shard": "b"}]


def test_a_missing_partition_is_named_with_what_to_do(tmp_path: Path) -> None:
    result = run(tmp_path, "a")
    (failure,) = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    assert "numbers has no partition b yet: materialize it first" in str(failure)


def test_a_write_that_breaks_leaves_the_table_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "table.parquet"
    write_durably(pl.DataFrame({"a": [1]}), tmp_path / "first.aside", target)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("no space left on device")))
    with pytest.raises(OSError, match="no space"):
        write_durably(pl.DataFrame({"a": [2]}), tmp_path / "second.aside", target)
    assert pl.read_parquet(target)["a"].to_list() == [1]


def test_the_version_of_a_table_is_its_content() -> None:
    table = pl.DataFrame({"a": ["x", None, "y"], "b": [[1.0], [], [2.0, 3.0]]})
    assert content_version(table) == content_version(pl.concat([table[:1], table[1:]], rechunk=False))
    assert content_version(table) != content_version(table.reverse())
    assert content_version(table) != content_version(table.with_columns(a=pl.lit("x")))


def test_the_partitions_that_are_stored_are_listed_and_half_written_ones_are_not(tmp_path: Path) -> None:
    run(tmp_path, "b", "a", skip_missing=True)
    (tmp_path / "numbers" / ".c.parquet.1-abc").write_bytes(b"half")
    store = TableStore(tmp_path)
    assert store.partitions("numbers") == ["a", "b"]
    assert store.partitions("letters") == []
    assert store.scan("numbers", "b").collect().item() == "b"
