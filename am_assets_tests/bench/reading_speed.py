"""How fast files of the five commonest forms are read to the frames that the pool is made of, and in how much memory.

    python -m am_assets_tests.bench.reading_speed [ROWS [KILOBYTES ...]]

For each form, JSON lines and Parquet, of 100,000 rows of about 2 kB and of as much in rows of 16 kB: rows and megabytes
a second, and the most memory that the process held beyond what it held before, for a tenth of the rows and for all of
them: the same where no more is held of a larger file. Each file is written and read by a process of its own, since the
system counts the memory of a process for those that it starts.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE, run
from typing import Any

ROWS, KILOBYTES = 100_000, (2, 16)
BATCH_ROWS = 2_000  # of Parquet, written at once
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
    if path.suffix == ".jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps(row(form, number, size)) + "\n" for number in range(rows))
        return
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    batches = (range(start, min(start + BATCH_ROWS, rows)) for start in range(0, rows, BATCH_ROWS))
    tables = (pyarrow.Table.from_pylist([row(form, number, size) for number in batch]) for batch in batches)
    first = next(tables)
    with ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def read(path: str) -> None:
    """Reads a file, and prints seconds, rows and megabytes of memory."""
    import polars  # noqa: F401  (what libraries take is held before)
    import pyarrow.parquet  # noqa: F401

    from am_assets.datasets.origins import Origin
    from am_assets.datasets.reading import read_rows

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    rows = sum(frame.height for frame in read_rows(Origin(location=path, teacher="r1"), Path("/")))
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024]))


def measured(form: str, suffix: str, rows: int, size: int) -> tuple[float, float]:
    """Seconds and megabytes of memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, f"a.{suffix}"))
        by_itself("--write", path, form, str(rows), str(size))
        seconds, found, held = json.loads(by_itself("--read", path))
    assert found == rows
    return seconds, held


def by_itself(*arguments: str) -> str:
    command = [sys.executable, "-m", __spec__.name, *arguments]
    return run(command, stdout=PIPE, text=True, check=True).stdout


def main() -> None:
    match sys.argv[1:]:
        case ["--write", path, form, rows, size]:
            write(Path(path), form, int(rows), int(size))
            return
        case ["--read", path]:
            read(path)
            return
    count, *sizes = [int(argument.replace(",", "")) for argument in sys.argv[1:]] or [ROWS]
    print(
        f"{'form':8} {'file':8} {'kB a row':>8} {'rows':>8} {'rows/s':>8} {'MB/s':>6} {'MB held':>8} {'of a tenth':>10}"
    )
    for kilobytes in sizes or KILOBYTES:
        rows = count * KILOBYTES[0] // kilobytes  # files of one size
        for form in FORMS:
            for suffix in ("jsonl", "parquet"):
                _, of_a_tenth = measured(form, suffix, rows // 10, kilobytes * 1000)
                seconds, held = measured(form, suffix, rows, kilobytes * 1000)
                speed = f"{rows / seconds:8,.0f} {rows * kilobytes / 1000 / seconds:6,.0f}"
                print(
                    f"{form:8} {suffix:8} {kilobytes:8} {rows:8,} {speed} {held:8,.0f} {of_a_tenth:10,.0f}", flush=True
                )


if __name__ == "__main__":
    main()
