"""How long `am plan` takes at the most shards there may be, as a process of its own: all fresh, then after an edit.

    python -m am_assets_tests.bench.plan_at_scale [--shards 99] [--recipes 20] [--folder DIR]

The project has tables of a few rows, and its instance knows of them what a run would have told it, pictures and all:
they are reported, not made. User seconds are what a loaded machine does not change. A project in DIR that is already
there is used as it stands.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

BENCHMARKS = ["contest", "textbook"]
RECIPE = {
    "dedup": {"threshold": 0.9},
    "sampling": {"decontamination": {"benchmarks": BENCHMARKS}},
    "teacher": {"model": "openai/stored-teacher"},
    "training": {"student": "none"},
    "evaluation": {"benchmarks": BENCHMARKS},
}
PICTURE = "x" * 15_000  # of the size of a plot, which some materializations hold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=99)
    parser.add_argument("--recipes", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="plan-"))
    os.environ.update(AM_DATA=str(folder), DAGSTER_HOME=str(folder / "instance"))
    os.environ.pop("AM_SOURCES", None)
    if not (folder / "recipes").exists():
        write_project(folder, asked.shards, asked.recipes)
        report_all()
    plan("all fresh")
    name = folder / "recipes" / "recipe-00.yaml"
    write(name, RECIPE | {"dedup": {"threshold": 0.92}})
    plan("a threshold edit")
    write(name, RECIPE)


def write_project(folder: Path, shards: int, recipes: int) -> None:
    for part in ("recipes", "pool", "instance"):
        (folder / part).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    for name in [*BENCHMARKS, *(f"source-{number:02d}" for number in range(shards))]:
        row = {"question": f"What does {name} say?", "reference_answer": "1"}
        (folder / "pool" / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    entry = {"adapter": "jsonl"}
    names = [f"source-{number:02d}" for number in range(shards)]
    write(folder / "sources.yaml", {name: {"location": f"pool/{name}.jsonl", "rank": 1} | entry for name in names})
    write(folder / "benchmarks.yaml", {name: {"location": f"pool/{name}.jsonl"} | entry for name in BENCHMARKS})
    write(
        folder / "instruments.yaml",
        {"labels": {"model": "openai/stored-labels"}, "reward": {"model": "openai/stored-judge"}},
    )
    write(folder / "endpoints.yaml", {})
    for number in range(recipes):
        write(folder / "recipes" / f"recipe-{number:02d}.yaml", RECIPE)


def report_all() -> None:
    """Tables and materializations of every partition, in an order in which they could have been made."""
    from am_assets.definitions import build_definitions
    from am_assets.planning.plan import Plan
    from am_assets.project import project

    defs = build_definitions(project())
    graph = defs.resolve_asset_graph()
    with dg.DagsterInstance.get() as instance:
        plan = Plan(defs, instance, {}, lambda asset, partition: True)
        for key in plan.keys:
            node = graph.get(key)
            records = instance.get_asset_records(list(node.parent_keys)) if node.parent_keys else []
            pointers = {
                record.asset_entry.asset_key: record.asset_entry.last_materialization_storage_id for record in records
            }
            partitions = node.partitions_def.get_partition_keys()
            static = {name: value for name, value in node.metadata.items() if name != "dagster/code_references"}
            for partition in partitions:
                report(instance, key, partition, node.code_version, pointers, static)
            for check in graph.asset_check_keys:
                if check.asset_key == key and graph.get(check).blocking:
                    for partition in partitions:
                        report_passed(instance, check, partition)
            print(f"{key.to_user_string()}: {len(partitions)} reported", flush=True)


def report(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    partition: str,
    code_version: str | None,
    pointers: dict[dg.AssetKey, int],
    static: dict,
) -> None:
    from am_assets.orchestration import tables

    name = key.to_user_string()
    frame, metadata = table_of(name, partition)
    tags = {
        "dagster/data_version": tables.content_version(frame),
        "dagster/data_version_is_user_provided": "true",
        "dagster/code_version": code_version or f"run-of-{name}-{partition}",
    }
    for parent, pointer in pointers.items():
        tags[f"dagster/input_data_version/{parent.to_user_string()}"] = "what was read"
        tags[f"dagster/input_event_pointer/{parent.to_user_string()}"] = str(pointer)
    if isinstance(partition, dg.MultiPartitionKey):
        tags |= {f"dagster/partition/{name}": at for name, at in partition.keys_by_dimension.items()}
    metadata |= static | {"dagster/row_count": frame.height, "picture": dg.MetadataValue.md(PICTURE)}
    instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition, metadata=metadata, tags=tags))


def table_of(name: str, partition: str):
    """The stored table of a partition, and the metadata that is held against a file."""
    from am_assets.datasets import benchmarks, sources
    from am_assets.datasets.origins import fingerprint
    from am_assets.orchestration.tables import empty
    from am_assets.project import project
    from am_assets.storage.stored import settings

    here = project()
    metadata: dict = {}
    if name == "raw_pool":
        frame = sources.read_shard(here.sources, partition, here.sources_file.parent)
        metadata["fingerprint"] = fingerprint(here.sources[partition], here.sources_file.parent)
    elif name == "benchmark_questions":
        frame = benchmarks.read_benchmark(partition, here.benchmarks[partition], here.data)
        metadata["fingerprint"] = fingerprint(here.benchmarks[partition], here.data)
    elif name.endswith("_policy"):
        frame = settings(here.recipes[partition], name.removesuffix("_policy"))
        metadata["settings"] = dict(frame.rows())
    else:
        frame = empty(name)
    path = here.assets / name / f"{partition.replace('|', '/')}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return frame, metadata


def report_passed(instance: dg.DagsterInstance, check: dg.AssetCheckKey, partition: str) -> None:
    made = instance.get_latest_data_version_record(check.asset_key, False, partition)
    assert made is not None
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=made.storage_id, run_id=made.run_id, timestamp=made.timestamp
    )
    evaluation = dg.AssetCheckEvaluation(
        check.asset_key, check.name, passed=True, metadata={}, blocking=True, partition=partition,
        target_materialization_data=target,
    )  # fmt: skip
    instance.report_runless_asset_event(evaluation)


def write(path: Path, content: dict) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def plan(what: str) -> None:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "plan"]
    said = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "160"})
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if said.returncode:
        raise SystemExit(said.stdout + said.stderr)
    print(f"{what}: {seconds:.1f} s by the clock, {after.ru_utime - before.ru_utime:.1f} user seconds; it says")
    print("\n".join(f"    {line}" for line in said.stdout.splitlines()[:4]), flush=True)


if __name__ == "__main__":
    main()
