"""Names of the pinned Dagster that are not in its public API, imported here and nowhere else.

Each line names one and what needs it; a release of Dagster without it breaks that feature. What `import dagster`
offers does not belong here.

    AssetCheckExecutionRecordStatus  planning: whether a blocking check passed, failed or never finished
    AssetCheckPartitionInfo          planning: the state of a check for all partitions in one query
    AssetGraphSubset                 schedule: the partitions of one backfill
    AssetKeyPartitionKey             schedule: a partition of one asset, as backfills take it
    AUTO_RETRY_RUN_ID_TAG            lost retries: a failed run that was retried already
    BaseAssetGraph                   planning: type of the resolved graph
    BulkActionStatus                 schedule: whether a backfill is still running
    BulkActionsFilter                schedule: finding the backfills that the schedule launched
    CheckRunHealthResult             run launcher: answer of a health check
    controller                       daemon: how often it looks after backfills
    DagsterSqliteStorage             am: Dagster's three SQLite storages in one folder
    dev                              make ui: the command `dagster dev` and how it starts its daemon
    DATA_VERSION_TAG                 planning and tables: the data version that a materialization recorded
    ExecuteRunArgs           run launcher: the command that carries out a run
    extract_data_provenance_from_entry  planning: which events and which code version a materialization used
    extract_data_version_from_entry  planning: the data version of a materialization
    IN_PROGRESS_RUN_STATUSES         cluster move: runs that were under way
    JobPythonOrigin          apply on a cluster: the job that a worker carries out
    ModuleCodePointer        apply on a cluster: the module of the code location
    RepositoryPythonOrigin   apply on a cluster: where a worker finds the code location
    INDEX_SHARD_NAME                 am: the event log that covers all runs
    InstigatorState                  alerts: the state of the schedule
    InstigatorType                   alerts: telling schedules from sensors
    is_valid_cron_schedule           schedule: refusing a wrong cron expression when the file is read
    main                             daemon: its command line
    make_new_backfill_id             schedule: the id of a new backfill
    PARTITION_NAME_TAG               alerts: the partition of a run
    PartitionBackfill                schedule: a backfill of exactly the missing and stale partitions
    PartitionKeyFilter               planning: the last finished execution of a check for one partition
    reverse_cron_string_iterator     alerts: when the schedule was due last
    RunFailureReason                 apply: telling an interrupted run from a failed one
    RunLauncher                      run launcher: what those of clusters have in common
    RunStorageSqlMetadata            cluster move: the tables of runs
    ScheduleStorageSqlMetadata       cluster move: the tables of schedules and sensors
    SqlEventLogStorageMetadata       cluster move: the tables of assets and checks
    SQLITE_BUSY_TIMEOUT_SECONDS      am: how long to wait for another writer, as Dagster does
    SqliteEventLogStorage            am: event log over connections that stay open
    SqliteRunStorage                 am: run records over a connection that stays open
    TickStatus                       alerts: whether the last tick of the schedule failed
    WILL_RETRY_TAG                   alerts and lost retries: a failed run that Dagster retries
    WorkerStatus                     run launcher: whether the process of a run is alive
"""

# ruff: noqa: F401  (imported to be taken from here)
from dagster._cli import dev
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import (
    DATA_VERSION_TAG,
    extract_data_provenance_from_entry,
    extract_data_version_from_entry,
)
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events import RunFailureReason
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.launcher import CheckRunHealthResult, RunLauncher, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorType, TickStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus, AssetCheckPartitionInfo
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, PARTITION_NAME_TAG, WILL_RETRY_TAG
from dagster._core.utils import make_new_backfill_id
from dagster._daemon import controller
from dagster._daemon.cli import main
from dagster._grpc.types import ExecuteRunArgs
from dagster._utils.schedules import is_valid_cron_schedule, reverse_cron_string_iterator
