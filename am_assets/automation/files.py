"""The sensor on the files of the project: recipes, sources, benchmarks, instruments, and the data files they name.

What a changed file makes stale at the root of the graph is requested: policies, shards of the pool, benchmarks. That is
free. Fetching from a hub is not requested: it may be hundreds of gigabytes, and is for the schedule or a person.

Partitions and code versions are fixed when the code location loads. Where a file changes those (a new source, shard,
recipe or benchmark, another instrument), the UI's server is asked to load it anew; no restart is needed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import dagster as dg

from am_assets.automation.alerts import load_alerts
from am_assets.automation.schedule import load_schedule
from am_assets.engines.locate import SourceError, find_files
from am_assets.origins import Origin
from am_assets.pool.sources import shard_keys, source_of
from am_assets.project import Project, project, reread
from am_assets.scope import ROOTS, forget_fingerprints, scope

SECONDS = 10
RELOAD = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""
LOADED = project()  # when the code location was loaded
TIMES = load_schedule(LOADED.data)


def file_sensor(assets: Sequence[dg.AssetsDefinition]) -> dg.SensorDefinition:
    roots = [asset for asset in assets if asset.key.to_user_string() in ROOTS]

    @dg.sensor(
        name="files",
        asset_selection=roots,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Edited recipes and changed data files are taken up; new ones appear as partitions.",
    )
    def files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The cursor holds what the files looked like and which partitions were there, so that a file is read once a
        change, and a partition counts as new once. A file at fault fails the look and leaves all as it was."""
        here = reread()
        forget_fingerprints()
        cursor = json.loads(context.cursor or "{}")
        there = [at for root in roots for at in _partitions(root, here)]
        looks = _look(here)
        look = {"files": looks, "known": sorted(map(_shown, there))}
        if look == cursor:
            return dg.SensorResult(skip_reason="No file changed.", cursor=context.cursor)
        new = {*look["known"]} - {*cursor["known"]} if cursor else set()
        requests = list(_requests(context.instance, there, new, here, looks))
        if needs_reload(here) and not _reload(context, here):
            look["files"] = "to be loaded"  # look again
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else "Nothing to make of what changed.",
            cursor=json.dumps(look),
        )

    return files


def _partitions(root: dg.AssetsDefinition, here: Project) -> Iterator[tuple[str, str]]:
    """Those that the code location knows and the files still name."""
    name, needed = root.key.to_user_string(), scope(here, None)
    named = {"raw_pool": shard_keys(here.sources), "benchmark_questions": here.benchmarks}.get(name, here.recipes)
    assert root.partitions_def is not None
    return ((name, key) for key in root.partitions_def.get_partition_keys() if key in named and needed(name, key))


def _shown(at: tuple[str, str]) -> str:
    return f"{at[0]}[{at[1]}]"


def _look(here: Project) -> str:
    """How all files look from outside; of the large ones nothing is read."""
    settings = [*here.data.glob("*.yaml"), *here.data.glob("recipes/*.yaml"), here.sources_file]
    read = [
        *_data_files(here.sources.values(), here.sources_file.parent),
        *_data_files(here.benchmarks.values(), here.data),
    ]
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted({*settings, *read})]
    return sha256(repr(stats).encode()).hexdigest()[:16]


def _data_files(origins: Iterable[Origin], base: Path) -> Iterator[Path]:
    for origin in origins:
        if origin.location and not _on_a_hub(origin):
            try:
                yield from find_files(origin.location, base)
            except SourceError:
                continue  # it is not there: the run that needs it says so


def _on_a_hub(origin: Origin | None) -> bool:
    return origin is not None and (origin.location or "").startswith("hf://")


def _requests(
    instance: dg.DagsterInstance, there: list[tuple[str, str]], new: set[str], here: Project, look: str
) -> Iterator[dg.RunRequest]:
    """One run a partition key: all policies of a recipe that changed are made in one."""
    wanted: dict[str, list[dg.AssetKey]] = {}
    for name, partition in there:
        record = instance.get_latest_data_version_record(dg.AssetKey(name), False, partition)
        last = record.asset_materialization if record else None
        is_new = _shown((name, partition)) in new and not _on_a_hub(_origin(name, partition, here))
        if ROOTS[name](partition, last) if last else is_new:
            wanted.setdefault(f"{'' if name.endswith('_policy') else name} {partition}", []).append(dg.AssetKey(name))
    for at, keys in wanted.items():
        yield dg.RunRequest(run_key=f"{look} {at}", asset_selection=keys, partition_key=at.split(" ")[1])


def _origin(name: str, partition: str, here: Project) -> Origin | None:
    if name == "raw_pool":
        return here.sources[source_of(here.sources, partition)]
    return here.benchmarks.get(partition) if name == "benchmark_questions" else None


def needs_reload(here: Project) -> bool:
    """Whether the files say of partitions, instruments or times something else than when the code location loaded."""

    def fixed(project: Project) -> list:
        return [shard_keys(project.sources), [*project.recipes], [*project.benchmarks], project.instruments]

    return fixed(here) != fixed(LOADED) or _times(load_schedule(here.data)) != _times(TIMES)


def _times(schedule) -> tuple[str, str]:
    return schedule.cron, schedule.timezone


def _reload(context: dg.SensorEvaluationContext, here: Project) -> bool:
    """Asks the UI's server to load the code location anew."""
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
