"""The whole graph on one page: policies, six stages, their checks, what moves by itself, and what they run on."""

import dagster as dg

from am_assets import checks, verdict_checks
from am_assets.automation.backfill import fill_evidence
from am_assets.automation.conditions import with_conditions
from am_assets.automation.files import file_sensor
from am_assets.automation.retries import lost_retries
from am_assets.automation.sensors import condition_sensors
from am_assets.automation.watch import alerts
from am_assets.distillation import assets as distillation
from am_assets.evaluation import assets as evaluation
from am_assets.instance import share_cores
from am_assets.policies import policy_assets
from am_assets.pool import assets as pool
from am_assets.project import project
from am_assets.resources import Answers, TableStore, progress_logger
from am_assets.selection import assets as selection
from am_assets.training import assets as training
from am_assets.verification import assets as verification

share_cores()  # runs begin here, whoever starts them
STAGES = [pool, selection, distillation, verification, training, evaluation]
ASSETS = with_conditions([*policy_assets, *dg.load_assets_from_modules(STAGES)])

defs: dg.Definitions = dg.Definitions(
    assets=ASSETS,
    asset_checks=[
        *checks.table_checks(ASSETS),
        *checks.not_empty_checks(),
        *dg.load_asset_checks_from_modules([checks, verdict_checks]),
    ],
    sensors=[*condition_sensors(ASSETS), file_sensor(ASSETS), alerts, lost_retries],
    schedules=[fill_evidence(lambda: defs)],
    resources={
        "tables": TableStore(project().assets),
        "answers": Answers(project()),
        "pipes": dg.PipesSubprocessClient(),
    },
    loggers={"console": dg.colored_console_logger, "progress": progress_logger},
    executor=dg.in_process_executor,
)
