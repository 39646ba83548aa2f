"""Pairs and deduplication of one shard against semhash at its defaults, on the same vectors, in interleaved rounds.

    python -m am_assets_tests.bench.dedup_against_semhash [--rows 130000] [--rounds 3]

Each contestant runs in a fresh process and times its own work. Recall and what was decided wrongly are measured against
comparing all rows with all: pairs at or above 0.9 that were missed; rows that stay beside one that stays; rows that go
though nothing that stays is near.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from am_assets.engines.models.embedder import embed
from am_assets.selection import cosines
from am_assets_tests.bench.corpus import questions
from am_assets_tests.bench.requests_per_second import PEERS, ROOT, environment

THRESHOLD = 0.9  # the default of semhash
OURS = "this project"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=130_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--venvs", type=Path, default=Path.home() / ".cache" / "am-bench")
    asked = parser.parse_args()
    runs = {
        OURS: (sys.executable, "run_dedup.py"),
        "semhash": (environment(asked.venvs, "semhash"), "run_semhash.py"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    quality = {}
    with tempfile.TemporaryDirectory() as folder:
        vectors = embed(questions(asked.rows), "static")
        np.save(Path(folder) / "vectors.npy", vectors)
        near = pairs_of_all(vectors)
        for _ in range(asked.rounds):
            for name, (python, script) in runs.items():
                command = [python, str(PEERS / script), f"{folder}/vectors.npy", f"{folder}/out.npz"]
                run = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
                if run.returncode:
                    raise SystemExit(f"{script} failed:\n{run.stderr[-2000:]}")
                seconds[name].append(float(run.stdout.split()[-1]))
                quality[name] = judged(np.load(f"{folder}/out.npz"), near)
    shown = Table(title=f"{asked.rows:,} rows of {vectors.shape[1]} dimensions, threshold {THRESHOLD}")
    for column in (
        "",
        "seconds (median)",
        "lowest to highest",
        "kept",
        "pairs missed",
        "stay in vain",
        "go in vain",
    ):
        shown.add_column(column, justify="left" if not column else "right")
    for name, took in seconds.items():
        spread = f"{min(took):.1f} to {max(took):.1f}"
        shown.add_row(name, f"{statistics.median(took):.1f}", spread, *quality[name])
    console = Console(width=120)
    console.print(shown)
    ratio = statistics.median(seconds["semhash"]) / statistics.median(seconds[OURS])
    console.print(f"{OURS} is {ratio:.2f} times as fast")


def pairs_of_all(vectors: np.ndarray) -> np.ndarray:
    """Row numbers, of shape (2, pairs), of all pairs at or above the threshold, each both ways round."""
    hits = []
    for top, first, products in cosines.tiles(vectors, vectors):
        rows, columns = np.nonzero(products >= THRESHOLD - cosines.SLACK)
        rows, columns = rows + top.start, columns + first.start
        rows, columns = (part[rows != columns] for part in (rows, columns))
        reached = cosines.of_pairs(vectors, vectors, rows, columns) >= np.float32(THRESHOLD)
        hits.append(np.stack([rows, columns])[:, reached])
    return np.concatenate(hits, axis=1)


def judged(out: np.lib.npyio.NpzFile, near: np.ndarray) -> tuple[str, ...]:
    stays, (rows, columns) = out["stays"], near
    missed = ~np.isin(rows * len(stays) + columns, out["rows"] * len(stays) + out["columns"])
    beside = np.zeros_like(stays)
    beside[rows[stays[columns]]] = True
    share = f"{missed.sum():,} of {len(rows):,}"
    return f"{stays.sum():,}", share, f"{(stays & beside).sum():,}", f"{(~stays & ~beside).sum():,}"


if __name__ == "__main__":
    main()
