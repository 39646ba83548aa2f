"""The Dagster code location: assets, checks, sensors, schedule and resources of one project.

`build_definitions` is a pure function of a loaded project. `defs` builds that of the project in the environment when
Dagster loads the location; importing this module reads no project.
"""

import dagster as dg

from am_assets.automation.applying import apply_recipe
from am_assets.automation.backfill import fill_evidence
from am_assets.automation.conditions import with_conditions
from am_assets.automation.files import file_sensor
from am_assets.automation.retries import lost_retries
from am_assets.automation.sensors import condition_sensors
from am_assets.automation.watch import alerts
from am_assets.orchestration.assets import GRAPH
from am_assets.orchestration.checks import sets, tables, verdicts
from am_assets.orchestration.forking import fork_runs
from am_assets.orchestration.partitions import Partitions
from am_assets.orchestration.postgres import await_records
from am_assets.orchestration.resources import Answers, TableStore, progress_logger
from am_assets.project import Live, Project, project
from am_assets.runtime.garbage import leave_imported
from am_assets.runtime.threads import share_cores


def build_definitions(here: Project) -> dg.Definitions:
    """The Dagster definitions of one project."""
    live, by = Live(here), Partitions(here)
    assets = with_conditions([table.asset(here, by) for table in GRAPH], live)
    definitions: dg.Definitions = dg.Definitions(
        assets=assets,
        asset_checks=[
            *tables.table_checks(assets),
            *tables.not_empty_checks(by),
            *tables.build_checks(here, by, sets, tables, verdicts),
        ],
        sensors=[*condition_sensors(assets), file_sensor(assets, live), alerts(live), lost_retries],
        jobs=[apply_recipe(build_definitions, live)],
        schedules=[fill_evidence(lambda: definitions, live)],
        resources={
            "tables": TableStore(here.assets),
            "answers": Answers(here),
            "pipes": dg.PipesSubprocessClient(),
        },
        loggers={"console": dg.colored_console_logger, "progress": progress_logger},
        executor=dg.in_process_executor,
    )
    return definitions


@dg.definitions
def defs() -> dg.Definitions:
    fork_runs()
    if cluster := project().cluster:
        await_records(cluster.database_env)
    return build_definitions(project().begun)


share_cores()  # every process of a run imports this module first
leave_imported()
