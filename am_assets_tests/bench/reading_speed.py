"""How fast files of the five commonest forms are read to the frames that the pool is made of, and in how much memory.

    python -m am_assets_tests.bench.reading_speed [ROWS]

For each form, JSON lines and Parquet, of rows of about 2 kB and of 16 kB: rows and megabytes a second, and the most
memory that the process held beyond what it held before. Each measurement is a process of its own.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from subprocess import run
from typing import Any

KILOBYTES = (2, 16)
THOUGHT = "Let me add the two numbers, carry what is carried, and look at the sum once more before I answer. "


def row(form: str, number: int, size: int) -> dict[str, Any]:
    """A row of a form, of about `size` bytes, nearly all of them the response."""
    question = f"Compute {number}+25."
    response = f"<think>{THOUGHT * (size // len(THOUGHT))}</think>\\boxed{{{number + 25}}}"
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": response}]
    return {
        "jsonl": {"question": question, "reference_answer": str(number + 25), "response": response, "teacher": "r1"},
        "chat": {"messages": turns, "teacher": "r1"},
        "am": {
            "messages": [
                turn | {"info": {"source": "r1", "reference_answer": "1", "test_case": None}} for turn in turns
            ]
        },
        "openr1": {"problem": question, "solution": "s", "answer": str(number + 25), "generations": [response]},
        "apps": {"question": question, "input_output": json.dumps({"inputs": [response], "outputs": ["1"]})},
    }[form]


FORMS = ["jsonl", "chat", "am", "openr1", "apps"]


def write(path: Path, form: str, rows: int, size: int) -> None:
    import polars as pl

    if path.suffix == ".parquet":
        pl.DataFrame([row(form, number, size) for number in range(rows)]).write_parquet(path)
        return
    with path.open("w") as file:
        for number in range(rows):
            file.write(json.dumps(row(form, number, size)) + "\n")


def measure(path: str) -> None:
    """Reads a file, and prints seconds, rows and megabytes of memory."""
    from am_assets.datasets.origins import Origin
    from am_assets.datasets.reading import read_rows

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    rows = sum(frame.height for frame in read_rows(Origin(location=path, teacher="r1"), Path("/")))
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024]))


def main() -> None:
    if sys.argv[1:2] == ["--file"]:
        measure(sys.argv[2])
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{'form':8} {'file':8} {'kB a row':>8} {'rows/s':>9} {'MB/s':>7} {'MB held':>8}")
    for kilobytes in KILOBYTES:
        rows = count * KILOBYTES[0] // kilobytes  # files of one size
        for form in FORMS:
            for suffix in ("jsonl", "parquet"):
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder, f"a.{suffix}")
                    write(path, form, rows, kilobytes * 1000)
                    command = [sys.executable, "-m", __spec__.name, "--file", str(path)]
                    seconds, read, held = json.loads(run(command, capture_output=True, text=True, check=True).stdout)
                    megabytes = rows * kilobytes / 1000
                assert read == rows
                speed = f"{read / seconds:9,.0f} {megabytes / seconds:7,.0f}"
                print(f"{form:8} {suffix:8} {kilobytes:8} {speed} {held:8,.0f}", flush=True)


if __name__ == "__main__":
    main()
