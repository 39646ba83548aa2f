"""Reloading the code location when a file changes what is fixed at load time.

Partitions, code versions and the times of the schedule are fixed. Where a file changes them (a new source, shard,
recipe or benchmark, another instrument), the webserver is asked to reload the code location; no restart is needed.
"""

import json
from urllib.error import URLError
from urllib.request import Request, urlopen

import dagster as dg

from am_assets.automation.alerts import load_alerts
from am_assets.automation.schedule import Schedule, load_schedule
from am_assets.datasets.sources import shard_keys
from am_assets.orchestration.declarations import FACTS
from am_assets.project import Project

RELOAD = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""


def needs_reload(loaded: Project, times: Schedule, here: Project) -> bool:
    """Whether partitions, broken recipes, instruments, other facts in code versions, or the times of the schedule
    differ from `loaded` and `times`, those at the time the code location loaded."""
    now = load_schedule(here.data)
    return _fixed(here) != _fixed(loaded) or (now.cron, now.timezone) != (times.cron, times.timezone)


def _fixed(here: Project) -> list:
    facts = [fact(here) for fact in FACTS.values()]
    recipes = [here.recipe_partitions, here.broken, here.experiments.keys, here.experiments.flawed]
    return [shard_keys(here.sources), recipes, [*here.benchmarks], here.instruments, facts]


def reload_location(context: dg.SensorEvaluationContext, here: Project) -> bool:
    """Ask the webserver to reload the code location; whether it did. A failure is logged with what to do."""
    origin = context.code_location_origin
    body = json.dumps({"query": RELOAD, "variables": {"name": origin.location_name if origin else "am_assets"}})
    url = f"{load_alerts(here.data).ui}/graphql"
    try:
        with urlopen(Request(url, body.encode(), {"content-type": "application/json"}), timeout=30) as reply:
            answer = json.load(reply)
        if answer["data"]["reloadRepositoryLocation"]["__typename"] == "WorkspaceLocationEntry":
            context.log.info("The list of partitions or an instrument changed: the code location was loaded anew.")
            return True
        reason = str(answer)[:300]
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error)
    context.log.warning(
        f"The list of partitions or an instrument changed, and {url} could not be asked to load it ({reason}): press"
        " Reload on the UI's Deployment page, or name the UI's address in data/alerts.yaml (ui) or AM_UI_URL."
    )
    return False
