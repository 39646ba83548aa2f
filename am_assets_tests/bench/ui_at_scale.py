"""How long the UI's pages take at 99 shards and 20 recipes, and what the code location takes to load and holds.

    python -m am_assets_tests.bench.ui_at_scale [FOLDER]

Materializations and checks of every partition are reported to the instance, as if all had run. Each page is opened
three times in Chromium; what is timed are the queries that the page sends, from sending to the end of the answer, and
the CPU that the services took for it. FOLDER keeps the project for another time.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from am_assets_tests.desk import RECIPE, Desk
from am_assets_tests.services import Services, environment, serving, settle
from am_assets_tests.ui.browser import GRAPH, Browser, browsing

PRINT_BYTES = "print(psutil.Process().memory_info().rss)"
SHARDS, RECIPES, RUNS = 99, 20, 500
TIMES = 3
PAGES = {
    GRAPH: "raw_pool",
    "/assets": "question_labels",
    "/assets/question_labels": "Row count",
    "/assets/question_labels?view=partitions": f"Materialized ({SHARDS})",
    "/assets/eval_scores?view=partitions": "Materialized",
    "/assets/question_labels?view=checks": "label_parse_rate",
    "/assets/verified_set?view=lineage": "verified_set",
    "/runs": "Success",
    "/runs?view=backfills": "Backfills",
    "/deployment/locations": "am_assets",
}


def build(folder: Path) -> None:
    desk = Desk(folder)
    desk.write_project("http://127.0.0.1:1/v1")
    (folder / "recipes" / "other.yaml").unlink()
    for number in range(1, RECIPES):
        desk.recipe(f"variant{number}", {"extends": "plain", "dedup": {"threshold": 0.95 - number / 1000}})
    desk.recipe("plain", RECIPE)
    sources = {}
    for number in range(SHARDS):
        desk.rows(f"s{number}", [{"question": f"What is {number} plus 1?", "reference_answer": f"{number + 1}"}])
        sources[f"s{number}"] = desk.source(f"s{number}", number)
    desk.write("sources.yaml", sources)
    settle(folder)
    subprocess.run([sys.executable, "-W", "ignore", __file__, "--report"], env=environment(folder), check=True)


def report_all() -> None:
    """Every partition materialized, every check passed, and runs and a backfill that did it."""
    import dagster as dg
    from dagster._core.storage.dagster_run import DagsterRunStatus
    from dagster._core.test_utils import create_run_for_test

    from am_assets.definitions import build_definitions
    from am_assets.project import project

    graph = build_definitions(project()).resolve_asset_graph()
    with dg.DagsterInstance.get() as instance:
        for key in graph.toposorted_asset_keys:
            for partition in graph.get(key).partitions_def.get_partition_keys():
                metadata = {"dagster/row_count": 1000, "sample": dg.MetadataValue.md("| a |\n| --- |\n" * 5)}
                tags = {"dagster/data_version": f"{key.to_user_string()}-{partition}"}
                instance.report_runless_asset_event(
                    dg.AssetMaterialization(key, partition=str(partition), metadata=metadata, tags=tags)
                )
        for check in graph.asset_check_keys:
            for partition in graph.get(check.asset_key).partitions_def.get_partition_keys():
                instance.report_runless_asset_event(
                    dg.AssetCheckEvaluation(
                        check.asset_key, check.name, passed=True, metadata={}, partition=str(partition)
                    )
                )
        for number in range(RUNS):
            tags = {"dagster/partition": f"s{number % SHARDS}"}
            create_run_for_test(instance, job_name="__ASSET_JOB", status=DagsterRunStatus.SUCCESS, tags=tags)


def loading(folder: Path) -> tuple[float, float, float]:
    """Seconds, CPU seconds and MB of a process that loads the code location and nothing else."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    script = "import psutil, am_assets.definitions as it; it.defs().get_repository_def(); " + PRINT_BYTES
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], env=environment(folder), check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu, int(ran.stdout) / 1e6


def cpu_seconds(services: Services) -> float:
    trees = [psutil.Process(process.pid) for name, process in services.running.items() if name != "daemon"]
    times = [process.cpu_times() for tree in trees for process in [tree, *tree.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def visit(services: Services, browser: Browser, page: str, words: str) -> str:
    """What the page took, in the middle of several times."""
    seconds, cpus, slowest = [], [], []
    for _ in range(TIMES):
        cpu, started = cpu_seconds(services), time.monotonic()
        browser.open(page)
        browser.see(words)
        seconds.append(time.monotonic() - started)
        took = browser.settle()
        cpus.append(cpu_seconds(services) - cpu)
        slowest.append(max((each, name) for name, each in took.items()))
    each, name = statistics.median_low(slowest)
    return (
        f"{page.partition('=global')[0]}: content after {statistics.median(seconds):.2f} s; slowest query {name}"
        f" {each:.2f} s; {statistics.median(cpus):.2f} CPU seconds of the services"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else aside)
        if not (folder / "recipes").exists():
            folder.mkdir(exist_ok=True)
            build(folder)
        loads = [loading(folder) for _ in range(TIMES)]
        for what, values in zip(("seconds", "CPU seconds", "MB"), zip(*loads, strict=True), strict=True):
            print(f"code location: {statistics.median(values):.2f} {what}")
        with serving(folder) as services, browsing(services.url) as browser:
            for page, words in PAGES.items():
                print(visit(services, browser, page, words), flush=True)
            processes = psutil.Process(services.running["code"].pid).children(recursive=True)
            print(f"code server: {max(process.memory_info().rss for process in processes) / 1e6:.0f} MB")


if __name__ == "__main__":
    report_all() if sys.argv[1:] == ["--report"] else main()
