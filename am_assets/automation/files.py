"""The sensor on the files of the project: recipes, sources, benchmarks, instruments, and the data files they name.

It requests the roots of the graph that a changed file makes stale: policies, shards of the pool, benchmarks. These runs
are free. Downloads from a hub are not requested, as they may take hundreds of gigabytes: they are left to the schedule
or a person. Changes of what is fixed when the code location loads are handled in `reload.py`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import dagster as dg

from am_assets.automation.conditions import is_root
from am_assets.automation.previews import is_preview
from am_assets.automation.reload import needs_reload, reload_location
from am_assets.automation.schedule import load_schedule
from am_assets.config.files import yaml_files
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.catalog import FILE as CATALOG
from am_assets.datasets.exclusions import FILE as EXCLUDE
from am_assets.datasets.locate import REVISIONS, SourceError, find_files
from am_assets.datasets.origins import Origin
from am_assets.datasets.sources import shard_keys, source_of
from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.tables import INSTRUMENT
from am_assets.planning.records import Made, Records
from am_assets.planning.scope import roots, scope
from am_assets.project import Live, Project

SECONDS = 10


def file_sensor(assets: Sequence[dg.AssetsDefinition], live: Live) -> dg.SensorDefinition:
    """The sensor over the assets that are made from files and have no pool."""
    watched, times = roots(live.loaded), load_schedule(live.loaded.data)
    from_files = [asset for asset in assets if asset.key.to_user_string() in watched and not asset.op.pool]

    @dg.sensor(
        name="files",
        asset_selection=from_files,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests what edited recipes and changed data files make stale; new ones appear as partitions.",
    )
    def files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The cursor holds a fingerprint of the files and the known partitions, so that files are read once per change
        and a partition is new once. A file with an error fails the tick and leaves the cursor as it was."""
        here = live.reread()
        cursor = json.loads(context.cursor or "{}")
        there = [at for root in from_files for at in _partitions(root, here)]
        fingerprint = _fingerprint(here)
        state = {"files": fingerprint, "known": sorted(map(_shown, there))}
        if state == cursor:
            return dg.SensorResult(skip_reason="No file changed.", cursor=context.cursor)
        first = {_shown(at) for root in from_files if is_root(root) for at in _partitions(root, here)}
        new = first - {*cursor["known"]} if cursor else set()
        requests = list(_requests(context, there, new, here, fingerprint))
        nothing = "Nothing to make of what changed."
        if needs_reload(live.loaded, times, here) and (is_preview(context) or not reload_location(context, here)):
            state["files"] = "to be loaded"  # differs from any fingerprint, so the next tick tries again
            nothing = "The code location is to be loaded anew."
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else nothing,
            cursor=json.dumps(state),
        )

    return files


def _partitions(root: dg.AssetsDefinition, here: Project) -> Iterator[tuple[str, str]]:
    """Partitions of a root that the code location has and the files still name."""
    name, needed = root.key.to_user_string(), scope(here, None)
    keys = {"benchmarks": [*here.benchmarks], "recipes": [*here.recipes], "shards": shard_keys(here.sources)}
    keys |= {"experiments": []}  # nothing runs them unasked
    named = keys[TABLE[name].by]
    assert root.partitions_def is not None
    return ((name, key) for key in root.partitions_def.get_partition_keys() if key in named and needed(name, key))


def _shown(at: tuple[str, str]) -> str:
    return f"{at[0]}[{at[1]}]"


def _fingerprint(here: Project) -> str:
    """A hash of path, size and modification time of all files, none of which is opened, and of what was begun."""
    beside = [path for name in (CATALOG, REVISIONS, EXCLUDE) if (path := here.sources_file.with_name(name)).exists()]
    in_folders = [path for folder in ("recipes", "experiments") for path in yaml_files(here.data / folder)]
    settings = [*yaml_files(here.data), *in_folders, here.sources_file, *beside]
    read = [
        *_data_files(here.sources.values(), here.sources_file.parent),
        *_data_files(here.benchmarks.values(), here.data),
    ]
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted({*settings, *read})]
    versions = {name: adapter.version for name, adapter in ADAPTERS.items()}  # an upgrade changes rows without an edit
    return sha256(repr((stats, versions, [*here.experiments.named])).encode()).hexdigest()[:16]


def _data_files(origins: Iterable[Origin], base: Path) -> Iterator[Path]:
    for origin in origins:
        if origin.location and not _on_a_hub(origin):
            try:
                yield from find_files(origin.location, base)
            except SourceError:
                continue  # missing: the run that needs it fails by name


def _on_a_hub(origin: Origin | None) -> bool:
    return origin is not None and (origin.location or "").startswith("hf://")


def _requests(
    context: dg.SensorEvaluationContext, there: list[tuple[str, str]], new: set[str], here: Project, fingerprint: str
) -> Iterator[dg.RunRequest]:
    """A run per partition key: the changed policies of a recipe share one."""
    wanted: dict[str, list[dg.AssetKey]] = {}
    records, since = Records(context.instance), roots(here)
    for name, partition in there:
        last = records.made(dg.AssetKey(name)).get(partition)
        is_new = _shown((name, partition)) in new and not _on_a_hub(_origin(name, partition, here))
        try:
            changed = since[name](partition, last) or _excludes_others(name, last, here) if last else is_new
        except SourceError as error:  # of one source: the others go on
            context.log.warning(f"{name}[{partition}]: {error}")
            continue
        if changed:
            wanted.setdefault(f"{'' if TABLE[name].by == 'recipes' else name} {partition}", []).append(
                dg.AssetKey(name)
            )
    for at, keys in wanted.items():
        yield dg.RunRequest(run_key=f"{fingerprint} {at}", asset_selection=keys, partition_key=at.split(" ")[1])


def _excludes_others(name: str, last: Made, here: Project) -> bool:
    """Whether the partition was made when `exclude.txt` had other lines; a shard of an earlier version knew none."""
    made_with = last.metadata.get(INSTRUMENT, {}).get("exclusions", "")
    return "exclusions" in TABLE[name].reads.facts and made_with != here.exclusions.version


def _origin(name: str, partition: str, here: Project) -> Origin | None:
    if name == "raw_pool":
        return here.sources[source_of(here.sources, partition)]
    return here.benchmarks.get(partition) if name == "benchmark_questions" else None
