"""The preference and the rl set at scale, and writers of them that are killed; each process may hold 3 GB at most.

    python -m am_assets_tests.bench.sets_at_scale [--rows 2000 10000] [--kills 50] [--folder DIR]

Of the tables of `release_at_scale`, whose responses have 16,000 characters at the median: each second response is a
wrong one to the question before it. Seconds are of the processors, memory is what a process had for itself at most,
without what it shares with the page cache; one that holds more than 3 GB is killed.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import polars as pl

from am_assets.config.sets import PreferencePolicy, RlPolicy
from am_assets.orchestration import texts
from am_assets.orchestration.schemas import TABLES
from am_assets.orchestration.tables import empty
from am_assets.storage.stored import StoredTables, stored_at
from am_assets.storage.streams import write
from am_assets.training import preference, rl, sets
from am_assets_tests.bench.processes import busy_since, killed_after
from am_assets_tests.bench.release_at_scale import LARGE, LIMIT, SMALL, write_tables
from am_assets_tests.bench.selection_at_scale import watch_memory

SETS = {"preference_dataset": ["train"], "rl_dataset": ["trl", "verl", "openrlhf"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 10_000])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write_set(Path(asked.write[0]), asked.write[1])
        return
    place = asked.folder or Path(tempfile.mkdtemp(prefix="sets-"))
    for rows in asked.rows:
        if not (place / str(rows)).exists():
            write_tables(place / str(rows), rows)
        for name in SETS:
            measure(place / str(rows), name, rows)
    killed(place / str(asked.rows[0]), asked.kills)


def verified(store: StoredTables) -> pl.DataFrame:
    """What VerifiedSet has of these responses, and the sets read."""
    tables = [
        store.read("responses", shard, ["response_id"]).with_columns(shard=pl.lit(shard)) for shard in (LARGE, SMALL)
    ]
    right = pl.int_range(pl.len()) % 2 == 0
    beside = {"source": "s", "category": "math", "difficulty": "hard", "teacher": "r1", "detail": None,
              "evidence": "math", "reward": 0.5, "pass_rate": 0.5, "repaired_reference": None}  # fmt: skip
    return pl.concat(tables).with_columns(
        question_id=pl.col("response_id").gather(pl.int_range(pl.len()) // 2 * 2).over("shard"),
        kept=right.over("shard"),
        passed=right.over("shard"),
        verdict=pl.when(right.over("shard")).then(pl.lit("pass")).otherwise(pl.lit("fail")),
        drop_reason=pl.when(~right.over("shard")).then(pl.lit("wrong_answer")),
        **{name: pl.lit(value) for name, value in beside.items()},
    )


def write_set(folder: Path, name: str) -> None:
    """The table and the files of a set, in this process."""
    store, release = StoredTables(folder), folder / name / "scale"
    of = verified(store)
    known = texts.asked(store, [LARGE, SMALL])
    if name == "preference_dataset":
        policy = PreferencePolicy()
        said = texts.told_apart(store, preference.candidates(of, policy))
        rows, outcomes = preference.pairs(of, said, known, policy)
        frames, forms, card = texts.paired(store, rows, release), preference.forms, preference.card
    else:
        policy = RlPolicy()
        chosen = of.unique("question_id").with_columns(kept=pl.lit(True))
        features = chosen.select(rl.ASKED).with_columns(verifiers=pl.lit(["math"]))
        rows, outcomes = rl.rl_rows(chosen, of, features, known, policy)
        forms = partial(rl.forms, against={"math": "reference_answer"}, repaired=False)
        frames, card = texts.checked(store, rows, release), rl.card
    schema = TABLES[name]
    passed = sets.written(release, frames, empty(name), forms, card("scale", rows, outcomes, policy))
    valid = (schema.validate(frame, cast=True) for frame in passed)
    write(valid, empty(name), stored_at(folder, name, "scale"), schema.primary_key()).publish()


def started(folder: Path, name: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "ignore", "-m", __spec__.name, "--write", str(folder), name])


def measure(folder: Path, name: str, rows: int) -> float:
    """Writes a set; prints what it took, and returns the seconds of that."""
    began, before, highest = time.monotonic(), os.times(), [0.0]
    process = started(folder, name)
    threading.Thread(target=watch_memory, args=(process, highest, LIMIT), daemon=True).start()
    if process.wait():
        raise SystemExit(process.returncode)
    busy = busy_since(before)
    count, size = check(folder, name)
    print(
        f"{name}, {rows:,} responses: {count:,} rows, {size / 1e6:,.0f} MB of files, {busy:.1f} s of processor,"
        f" {highest[0] / 1e9:.2f} GB at most",
        flush=True,
    )
    return time.monotonic() - began


def check(folder: Path, name: str) -> tuple[int, int]:
    """The rows of a set and the bytes of its files; `AssertionError` where any of them is not whole."""
    table = pl.read_parquet(stored_at(folder, name, "scale"))
    files = [*(folder / name / "scale" / "data").iterdir()]
    for form in SETS[name]:
        assert sum(pl.read_parquet(file).height for file in files if file.name.startswith(form)) == table.height
    assert (folder / name / "scale" / "README.md").stat().st_size
    return table.height, sum(file.stat().st_size for file in files)


def killed(folder: Path, kills: int) -> None:
    """Writers that are killed at random moments; after each, the table and the files have to be whole."""
    draw, late = random.Random(3), 0
    within = {name: measure(folder, name, 0) for name in SETS}
    for at in range(kills):
        name = [*SETS][at % len(SETS)]
        process = started(folder, name)
        late += not killed_after(process, draw.uniform(0.3, 1) * within[name])
        check(folder, name)
    for name in SETS:
        measure(folder, name, 0)
    left = [path.name for path in folder.glob("*/.*")]
    print(f"{kills} kills, {late} of them too late: table and files were whole after each; left aside: {left}")


if __name__ == "__main__":
    main()
