"""How soon `am verify` says something, how fast it goes on, and whether its memory stays flat.

    python -m am_assets_tests.bench.verify_stream [ROWS]

Sums in words, boxed, a third of them wrong, every other reference a fraction: seconds to the first line, rows a second,
and the memory of all its processes after a tenth of the rows and at most after that.
"""

import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import psutil

COMMAND = [sys.executable, "-m", "am_assets.cli", "verify"]
EVERY = 1_000  # rows between two looks at memory


def row(number: int) -> dict[str, object]:
    """An answer to a question of several steps; every third one is wrong, every other reference is a fraction."""
    total = number % 9_973
    said = f"First there are {total} of them, then {total} more, which are {2 * total} altogether. " * 8
    reference = f"\\frac{{{4 * total}}}{{2}}" if number % 2 else str(2 * total)
    return {"id": number, "answer": f"{said}\\boxed{{{2 * total + (number % 3 == 0)}}}", "reference": reference}


def memory_mb(process: psutil.Process) -> float:
    """Resident memory of a process and those it started, shared pages once."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def main() -> None:
    rows = int((sys.argv[1] if len(sys.argv) > 1 else "200000").replace(",", ""))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        with file.open("w") as written:
            written.writelines(json.dumps(row(number)) + "\n" for number in range(rows))
        began = time.monotonic()
        with subprocess.Popen([*COMMAND, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout and process.stderr
            first = process.stdout.readline()
            print(f"first line after {time.monotonic() - began:.1f} s: {first.decode().strip()[:80]}…")
            seen: list[float] = []
            while list(islice(process.stdout, EVERY)):
                seen.append(memory_mb(psutil.Process(process.pid)) if process.poll() is None else 0)
            print(process.stderr.read().decode())
        after = [mb for mb in seen[len(seen) // 10 :] if mb]
        print(f"memory after a tenth {after[0]:.0f} MB, at most {max(after):.0f} MB, at the end {after[-1]:.0f} MB")


if __name__ == "__main__":
    main()
