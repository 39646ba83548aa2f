"""The promise, tried on every field of every file under `data/`: what an apply makes of the edited project is to the
byte what its files give when they are built from scratch, and nothing is asked for that the other build did not ask.

    python -m am_assets_tests.bench.every_field [--write] [--processes N] [FIELD ...]

`--write` writes `docs/fields.md` with what was found; FIELD is a name or the beginning of names, `recipe.dedup.`
"""

import argparse
import tempfile
import time
from pathlib import Path

from am_assets_tests.rebuild import table
from am_assets_tests.rebuild.edits import UNEXERCISED
from am_assets_tests.rebuild.fields import every_field
from am_assets_tests.rebuild.trials import try_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--processes", type=int)
    parser.add_argument("fields", nargs="*", default=[""])
    asked = parser.parse_args()
    fields = every_field()
    chosen = [one for one in fields if one.name.startswith(tuple(asked.fields)) and one.name not in UNEXERCISED]
    began, trials = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        for trial in try_all(chosen, Path(folder), asked.processes):
            trials.append(trial)
            print(f"{len(trials)} of {len(chosen) + 1}  {table.line(trial)}", flush=True)
            for found in trial.wrong:
                print(f"    BROKEN {found}")
            for found in trial.beside:
                print(f"    beside the tables: {found}")
    broken, beside = (sum(bool(getattr(trial, kind)) for trial in trials) for kind in ("wrong", "beside"))
    print(
        f"{len(trials)} fields in {time.monotonic() - began:.0f} s: {broken} break the promise, {beside} beside tables"
    )
    if asked.write:
        table.write(fields, trials)


if __name__ == "__main__":
    main()
