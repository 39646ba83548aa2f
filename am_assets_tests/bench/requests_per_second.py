"""Requests per second of LLM clients against one scripted local server, in interleaved rounds.

    python -m am_assets_tests.bench.requests_per_second --requests 4000 --concurrency 256 --latency 0.05

Each contestant is a script under peers/, run in a fresh process; it times only its own run of the requests. The peers'
packages go into environments of their own, made on first use, since both pin other versions than this project.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from am_assets_tests.bench.server import serving

PEERS = Path(__file__).parent / "peers"
ROOT = Path(__file__).parents[2]
OURS = "this project"


def contestants(venvs: Path) -> dict[str, tuple[str, str]]:
    """Each contestant's interpreter and script."""
    python, peers = sys.executable, {name: environment(venvs, name) for name in ("curator", "distilabel")}
    return {
        OURS: (python, "run_engine.py"),
        "bare litellm": (python, "bare_litellm.py"),
        "curator": (peers["curator"], "run_curator.py"),
        "distilabel": (peers["distilabel"], "run_distilabel.py"),
        "raw sockets": (python, "raw_sockets.py"),
    }


def environment(venvs: Path, name: str) -> str:
    """The interpreter of a peer's environment, which is made when absent or made from other requirements."""
    wanted, folder = (PEERS / f"requirements-{name}.txt").read_text(), venvs / name
    python, made_from = folder / "bin" / "python", folder / "made-from.txt"
    if not made_from.exists() or made_from.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "-r", PEERS / f"requirements-{name}.txt"]
        subprocess.run(install, check=True)
        made_from.write_text(wanted)
    return str(python)


def seconds(python: str, script: str, url: str, n: int, concurrency: int) -> float:
    """The seconds one contestant took for n requests, by its own clock. It fails unless all were answered."""
    with tempfile.TemporaryDirectory() as home:  # so that no client finds the cache of a run before
        command = [python, str(PEERS / script), url, str(n), str(concurrency)]
        environ = os.environ | {"HOME": home, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, capture_output=True, text=True, env=environ)
    if run.returncode:
        raise RuntimeError(f"{script} failed:\n{run.stderr[-2000:]}")
    result = json.loads(run.stdout.splitlines()[-1])
    if result["answered"] != n:
        raise RuntimeError(f"{script} got {result['answered']} answers to {n} requests:\n{run.stderr[-2000:]}")
    return result["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--venvs", type=Path, default=Path.home() / ".cache" / "am-bench")
    options = parser.parse_args()
    console, runs = Console(), contestants(options.venvs)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    with serving(latency=options.latency) as url:
        for _ in range(options.rounds):
            for name in list(runs):
                try:
                    took = seconds(*runs[name], url, options.requests, options.concurrency)
                except RuntimeError as error:
                    console.print(f"{name} is out: {error}", style="red", markup=False)
                    del runs[name]
                else:
                    rates[name].append(options.requests / took)
    medians = {name: statistics.median(rates[name]) for name in runs}
    console.print(table(medians, rates, options))


def table(medians: dict[str, float], rates: dict[str, list[float]], options: argparse.Namespace) -> Table:
    at = f"{options.requests} requests, {options.concurrency} at a time, answered after {options.latency} s"
    shown = Table(title=at, caption=f"No client can do more than {options.concurrency / options.latency:.0f}")
    for column in ("client", "requests/s (median)", "lowest to highest", f"{OURS} is"):
        shown.add_column(column, justify="left" if column == "client" else "right")
    for name, rate in sorted(medians.items(), key=lambda item: -item[1]):
        ratio = f"{medians[OURS] / rate:.2f} x" if OURS in medians and name != OURS else ""
        shown.add_row(name, f"{rate:.0f}", f"{min(rates[name]):.0f} to {max(rates[name]):.0f}", ratio)
    return shown


if __name__ == "__main__":
    main()
