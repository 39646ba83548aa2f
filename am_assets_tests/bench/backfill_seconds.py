"""How long a backfill of six partitions takes that are made in less than a second each, from the click to its end.

    python -m am_assets_tests.bench.backfill_seconds

`make ui` with the settings a new project gets, six recipes, one policy of each; the second backfill counts too, as it
finds everything warm.
"""

import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from am_assets_tests.desk import Desk
from am_assets_tests.services import ROOT, Services, environment, until

RECIPES = ["plain", "other", "third", "fourth", "fifth", "sixth"]
LAUNCH = """mutation($keys: [String!]!, $asset: String!) { launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: [$asset]}], partitionNames: $keys, title: "measured" }) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status
    numPartitions } } runsOrError(filter: {tags: [{key: "dagster/backfill", value: $id}]}) { ... on Runs { results {
    status creationTime startTime endTime updateTime } } } }"""


def seconds(services: Services, asset: str) -> float:
    """From the click to the end of the backfill, told in parts."""
    began = time.time()
    launched = services.ask(LAUNCH, keys=RECIPES, asset=asset)["launchPartitionBackfill"]
    backfill = launched["backfillId"]

    def ended() -> dict | None:
        found = services.ask(STATUS, id=backfill)
        return found if found["partitionBackfillOrError"]["status"].startswith("COMPLETED") else None

    found = until(ended, "the backfill is over", every=0.2)
    took = time.time() - began
    runs = found["runsOrError"]["results"]
    for name in ("creationTime", "startTime", "endTime"):
        at = sorted(run[name] - began for run in runs)
        print(f"  {name}: {at[0]:.1f} to {at[-1]:.1f} s")
    print(f"{asset}: {took:.1f} s for {len(runs)} runs, {found['partitionBackfillOrError']['status']}", datetime.now())
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.write_project("http://127.0.0.1:1/v1")
        (desk.folder / "instance" / "dagster.yaml").unlink()
        for name in RECIPES[2:]:
            desk.recipe(name, {"extends": "plain"})
        services = Services(desk.folder)
        port = str(services.ports["webserver"])
        command = [sys.executable, "-m", "am_assets.orchestration.ui", "-w", str(ROOT / "workspace.yaml"), "-p", port]
        with (desk.folder / "ui.log").open("w") as log:
            served = subprocess.Popen(command, cwd=ROOT, env=environment(desk.folder), stdout=log, stderr=log)
        try:
            until(services.knows_the_graph, "the webserver knows the graph")
            services.stop_sensors()
            time.sleep(5)
            for asset in ("dedup_policy", "sampling_policy"):
                seconds(services, asset)
        finally:
            served.terminate()
            served.wait(15)


if __name__ == "__main__":
    main()
