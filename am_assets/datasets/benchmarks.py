"""`data/benchmarks.yaml`, and the step from a benchmark's rows to canonical items.

Rules for all benchmarks belong here. What a row of some data set means belongs to `adapters/`. `use:` takes entries of
`known_benchmarks.yaml` over, the published benchmarks that are known by name.
"""

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

import polars as pl
from pydantic import BeforeValidator, Field, field_validator, model_validator

from am_assets.config.files import ConfigError, Section, merge, parse, read_yaml
from am_assets.config.instruments import Code
from am_assets.config.partitions import name_fault
from am_assets.datasets import hub
from am_assets.datasets.identity import question_id, question_ids
from am_assets.datasets.locate import SourceError, with_revision
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import Told, read_rows
from am_assets.runtime.wording import counted
from am_assets.storage.schemas import BenchmarkQuestions

VERSION = "4"  # raise when the same rows give other items
CHECKS = ["reference_answer", "test_cases", "constraints"]  # by which answers are scored
KNOWN = Path(__file__).with_name("known_benchmarks.yaml")
USE = "use"  # the key of the names that are taken from there, and so the name of no benchmark
QUESTION = "{question}"  # in a prompt: the question, with what stands below it if the prompt names neither
PARTS = ("{options}", "{starter}")

Day = Annotated[str, BeforeValidator(str), Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]  # or a whole month


class Window(Section):
    """From the first day or month to the last one, both included, by the date in a column of the files."""

    first: Day | None = None  # 2024-08 or 2024-08-01
    last: Day | None = None  # likewise
    column: str = "contest_date"  # of the date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first is None and self.last is None:
            raise ValueError("first or last has to be given, as in {first: 2024-08, last: 2025-01}")
        if self.first and self.last and self.first[: len(self.last)] > self.last[: len(self.first)]:
            raise ValueError(f"first {self.first} lies behind last {self.last}")
        return self

    @property
    def sql(self) -> str:
        """Dates begin with their day in every published form, text or not, so that their beginnings are compared."""
        date = f'CAST("{self.column}" AS VARCHAR)'
        ends = [(">=", self.first), ("<=", self.last)]
        return " AND ".join(f"SUBSTR({date}, 1, {len(day)}) {sign} '{day}'" for sign, day in ends if day)


class Prompts(Section):
    """Two ways to ask, of items with code to complete or without it."""

    starter: str  # with code to complete
    otherwise: str  # without


class Benchmark(Origin):
    """One entry of `benchmarks.yaml`. Scores are compared, so no item may be left out unless the entry says so."""

    later = ("prompt", "window", "limits")

    max_faults: Annotated[float, Field(ge=0, le=1)] = 0
    # How an item is asked: a text with {question}, which may place {options} and {starter}; null: the question alone.
    prompt: str | Prompts | None = None
    window: Window | None = None  # by the dates of the items
    limits: dict[str, Any] | None = None  # of programs, instead of those in `code` of instruments.yaml

    @field_validator("prompt")
    @classmethod
    def _asks(cls, prompt: str | Prompts | None) -> str | Prompts | None:
        for text in [prompt] if isinstance(prompt, str) else [*dict(prompt or {}).values()]:
            if QUESTION not in text:
                raise ValueError(f"{text[:60]!r} has no {QUESTION}, so that nothing would be asked")
        return prompt

    @field_validator("limits")
    @classmethod
    def _of_code(cls, limits: dict[str, Any] | None) -> dict[str, Any] | None:
        if limits is not None:
            Code.model_validate(limits)
        return limits

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.window and self.generator:
            raise ValueError("window is of files, and a generator has none")
        return self

    @property
    def condition(self) -> str | None:
        conditions = [self.where, self.window and self.window.sql]
        return " AND ".join(f"({one})" for one in conditions if one) or None

    def prompt_of(self, starter: str | None) -> str | None:
        if isinstance(self.prompt, Prompts):
            return self.prompt.starter if starter else self.prompt.otherwise
        return self.prompt


@cache
def known_benchmarks() -> dict[str, dict[str, Any]]:
    """The entries of published benchmarks by name, as they stand in a `benchmarks.yaml` that uses them."""
    return read_yaml(KNOWN)


def load_benchmarks(path: Path) -> dict[str, Benchmark]:
    """The benchmarks by name, in file order; `ConfigError` names the file and every field at fault.

    Those that `use:` names stand where it stands, with the fields of an entry of the same name over the known ones. An
    empty mapping where there is no file or nothing but comments in it: recipes need not name a benchmark.
    """
    content = _with_used(read_yaml(path) if path.exists() else {}, path)
    for name in content:
        if fault := name_fault("benchmark", name):
            raise ConfigError(f"{path}: {name}: {fault}")
    return {name: parse(Benchmark, entry, f"{path}: {name}") for name, entry in content.items()}


def _with_used(content: dict[str, Any], path: Path) -> dict[str, Any]:
    if USE not in content:
        return content
    names, known = content[USE], known_benchmarks()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{path}: {USE}: expected a list of names, as in `use: [aime2024]`; there are {_list(known)}")
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=2)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            raise ConfigError(f"{path}: {USE}: no benchmark {name} is known; {meant}there are {_list(known)}")
        if not isinstance(content.get(name), dict | None):
            raise ConfigError(f"{path}: {name}: expected fields that differ from those of the known benchmark")
    used = {name: _entry(known[name], content.get(name) or {}, f"{path}: {name}") for name in names}
    merged: dict[str, Any] = {}
    for name, entry in content.items():
        merged |= used if name == USE else {} if name in used else {name: entry}
    return merged


def _list(known: dict[str, Any]) -> str:
    return ", ".join(known)


def _entry(known: dict[str, Any], own: dict[str, Any], where: str) -> dict[str, Any]:
    """The known entry with the fields of a project's own over it. `revision`, a commit of the hub, becomes part of the
    location that it is of; null: the commit of the first read."""
    entry = merge(known, ({"revision": None} if "location" in own else {}) | own)
    revision = entry.pop("revision", None)
    if revision is None:
        return entry
    match = hub.LOCATION.fullmatch(entry["location"])
    if match is None or match["revision"]:
        raise ConfigError(f"{where}: revision: is that of a location on the hub which names none itself")
    return entry | {"location": with_revision(entry["location"], str(revision))}


def read_benchmark(name: str, benchmark: Benchmark, base: Path) -> pl.DataFrame:
    """The items as a valid `BenchmarkQuestions`, sorted by item_id, which is the question_id of the text that a pool
    would have of it, options and code included.

    Duplicate items become one. `SourceError` for an empty question, for an item without reference, tests and
    constraints (it could not be scored), for one text with differing ones, and where no item is left. A relative
    location starts at `base`.

    >>> read_benchmark("aime", Benchmark(location="aime.jsonl", adapter="math"), Path("data"))
    """
    told = Told()
    rows = pl.concat(read_rows(benchmark, base, told))
    if rows.is_empty():
        raise SourceError(f"benchmark {name}: no item is left{_narrowed(benchmark, told)}")
    limits = json.dumps(benchmark.limits, sort_keys=True) if benchmark.limits else None
    prompts = [benchmark.prompt_of(starter) for starter in rows["starter"]]
    items = rows.select(
        question_ids(rows["question"]).alias("item_id"),
        pl.coalesce("stem", "question").alias("question"),
        *CHECKS,
        "options",
        "starter",
        pl.Series("prompt", prompts, dtype=pl.String),
        pl.lit(limits, pl.String).alias("limits"),
    )
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


def _narrowed(benchmark: Benchmark, told: Told) -> str:
    """What leaves items out, for a message."""
    if not told.left_out:
        return ""
    narrows = [f"window {w.first or 'the beginning'} to {w.last or 'the end'} by `{w.column}`"
               for w in [benchmark.window] if w]  # fmt: skip
    narrows += [f"where: {benchmark.where}"] if benchmark.where else []
    return (
        f": of {counted(told.left_out, 'row')} none is inside of {' and '.join(narrows)}; widen it, or name other files"
    )
