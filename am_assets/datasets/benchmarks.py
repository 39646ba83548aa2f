"""`data/benchmarks.yaml`, and the step from a benchmark's rows to canonical items.

Rules for all benchmarks belong here. What a row of some data set means belongs to `adapters/`.
"""

from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field

from am_assets.config.files import ConfigError, parse, read_yaml
from am_assets.config.partitions import name_fault
from am_assets.datasets.identity import question_id, question_ids
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import read_rows
from am_assets.storage.schemas import BenchmarkQuestions

VERSION = "3"  # raise when the same rows give other items
CHECKS = ["reference_answer", "test_cases", "constraints"]  # by which answers are scored


class Benchmark(Origin):
    """One entry of `benchmarks.yaml`. Scores are compared, so no item may be left out unless the entry says so."""

    max_faults: Annotated[float, Field(ge=0, le=1)] = 0


def load_benchmarks(path: Path) -> dict[str, Benchmark]:
    """The benchmarks by name, in file order; `ConfigError` names the file and every field at fault.

    An empty mapping where there is no file or nothing but comments in it: recipes need not name a benchmark.
    """
    content = read_yaml(path) if path.exists() else {}
    for name in content:
        if fault := name_fault("benchmark", name):
            raise ConfigError(f"{path}: {name}: {fault}")
    return {name: parse(Benchmark, entry, f"{path}: {name}") for name, entry in content.items()}


def read_benchmark(name: str, benchmark: Benchmark, base: Path) -> pl.DataFrame:
    """The items as a valid `BenchmarkQuestions`, sorted by item_id, which is the question_id of the text.

    Duplicate items become one. `SourceError` for an empty question, for an item without reference, tests and
    constraints (it could not be scored), and for one text with differing ones. A relative location starts at `base`.

    >>> read_benchmark("aime", Benchmark(location="aime.jsonl", adapter="math"), Path("data"))
    """
    rows = pl.concat(read_rows(benchmark, base))
    items = rows.select(question_ids(rows["question"]).alias("item_id"), "question", *CHECKS)
    faults = {
        "an empty question": pl.col("item_id") == question_id(""),
        "no reference answer, tests or constraints": pl.all_horizontal(pl.col(CHECKS).is_null()),
        "the same text with differing answers": pl.struct(CHECKS).n_unique().over("item_id") > 1,
    }
    for fault, condition in faults.items():
        wrong = items.filter(condition)
        if not wrong.is_empty():
            raise SourceError(f"benchmark {name}: {fault}: {wrong['question'][0][:80]!r}")
    distinct = items.sort("item_id", "question").unique("item_id", keep="first", maintain_order=True)
    return BenchmarkQuestions.validate(distinct, cast=True)
