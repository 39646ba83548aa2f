"""Materializations and check results of an instance, read in bulk, one asset at a time.

Queried partition by partition, as by Dagster's own resolver, a hundred shards and twenty recipes take minutes. Here the
ids of an asset's latest materializations are one query and their content another, and nothing is read twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg

from am_assets.orchestration.dagster_internals import (
    DATA_VERSION_TAG,
    AssetCheckPartitionInfo,
    PartitionKeyFilter,
    extract_data_provenance_from_entry,
    extract_data_version_from_entry,
)
from am_assets.orchestration.dagster_internals import AssetCheckExecutionRecordStatus as Status

CheckState = Literal["passed", "failed", "not run"]
NOT_READ = (dg.MarkdownMetadataValue, dg.TableSchemaMetadataValue, dg.TableColumnLineageMetadataValue)
SEVERAL = 10  # results of a check that are looked through: more machines do not make one partition at a time
DONE: dict[Status, CheckState] = {Status.SUCCEEDED: "passed", Status.FAILED: "failed"}


@dataclass(frozen=True)
class Made:
    """The latest materialization of a partition: data version, code version, what it read, metadata."""

    storage_id: int
    version: str | None
    code_version: str | None
    read: Mapping[dg.AssetKey, int | None]  # by upstream asset the storage id of its latest event then; None for none
    metadata: dict[str, Any]  # plain values; pictures and samples are left out


class Records:
    """The latest materializations by asset and partition.

    records.made(dg.AssetKey("raw_pool"))["gsm8k"].version
    """

    def __init__(self, instance: dg.DagsterInstance):
        self.instance = instance
        self._made: dict[dg.AssetKey, dict[str, Made]] = {}
        self._checks: dict[dg.AssetCheckKey, dict[str, CheckState]] = {}
        self._versions: dict[tuple[dg.AssetKey, int], Mapping[str, Mapping[str, str]]] = {}

    def made(self, key: dg.AssetKey) -> dict[str, Made]:
        """The latest materialization by partition, as of the last refresh."""
        if key not in self._made:
            self.refresh(key)
        return self._made[key]

    def refresh(self, key: dg.AssetKey) -> None:
        """Read new materializations of an asset; its checks are read again when needed."""
        materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
        ids = self.instance.event_log_storage.get_latest_storage_id_by_partition(key, materialized)
        known = {at: made for at, made in self._made.get(key, {}).items() if ids.get(at) == made.storage_id}
        new = [storage_id for at, storage_id in ids.items() if at not in known]
        if new:
            asked = dg.AssetRecordsFilter(asset_key=key, storage_ids=new)
            for record in self.instance.fetch_materializations(asked, limit=len(new)).records:
                known[str(record.partition_key)] = _made(record)
        self._made[key] = known
        self._checks = {check: states for check, states in self._checks.items() if check.asset_key != key}

    def version_then(self, key: dg.AssetKey, partition: str, storage_id: int) -> str | None:
        """The data version that a partition had when `storage_id` was the asset's latest event."""
        if (key, storage_id) not in self._versions:
            self._versions[key, storage_id] = self.instance.event_log_storage.get_latest_tags_by_partition(
                key, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG], before_cursor=storage_id + 1
            )
        return self._versions[key, storage_id].get(partition, {}).get(DATA_VERSION_TAG)

    def made_then(self, key: dg.AssetKey, partition: str, storage_id: int) -> Made | None:
        """The partition's latest materialization as of the event `storage_id`; a query of its own, for messages."""
        before = storage_id + 1
        record = self.instance.get_latest_data_version_record(key, False, partition, before_cursor=before)
        return _made(record) if record else None

    def check(self, check: dg.AssetCheckKey, partition: str) -> CheckState:
        """The result of a check for the partition's latest materialization."""
        return self._states(check).get(partition, "not run")

    def failed(self, check: dg.AssetCheckKey) -> list[str]:
        """The partitions whose latest materialization a check failed on, sorted."""
        return sorted(partition for partition, state in self._states(check).items() if state == "failed")

    def _states(self, check: dg.AssetCheckKey) -> dict[str, CheckState]:
        if check not in self._checks:
            infos = self.instance.event_log_storage.get_asset_check_partition_info([check])
            self._checks[check] = {str(info.partition_key): self._state(info) for info in infos}
        return self._checks[check]

    def _state(self, latest: AssetCheckPartitionInfo) -> CheckState:
        status, made = latest.latest_execution_status, latest.latest_materialization_storage_id
        if status in DONE and (made is None or latest.latest_target_materialization_storage_id in (None, made)):
            return DONE[status]
        # Planned, and the run was killed; or machines that made the partition together ended in another order.
        results = self.instance.event_log_storage.get_asset_check_execution_history(
            latest.check_key,
            limit=SEVERAL,
            status=set(DONE),
            partition_filter=PartitionKeyFilter(key=latest.partition_key),
        )
        for result in results:
            evaluation = result.event and result.event.asset_check_evaluation
            target = evaluation.target_materialization_data if evaluation else None
            if evaluation and (made is None or target is None or target.storage_id == made):
                return DONE[result.status]
        return "not run"


def _made(record: dg.EventLogRecord) -> Made:
    entry = record.event_log_entry
    version, provenance = extract_data_version_from_entry(entry), extract_data_provenance_from_entry(entry)
    materialization = record.asset_materialization
    assert materialization is not None
    return Made(
        record.storage_id,
        version.value if version else None,
        provenance.code_version if provenance else None,
        provenance.input_storage_ids if provenance else {},
        {name: value.value for name, value in materialization.metadata.items() if not isinstance(value, NOT_READ)},
    )
