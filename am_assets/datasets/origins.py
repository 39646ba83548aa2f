"""Where the rows of a source or a benchmark come from: the settings that both share. `reading.py` reads them."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from am_assets.config.files import Section
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.beside import Beside
from am_assets.datasets.chats import Several, System
from am_assets.datasets.conditions import Condition
from am_assets.datasets.locate import SourceError, content_hash

Generator = Callable[["Origin"], pl.DataFrame]  # returns columns of `GENERATED`
GENERATED = ["question", "reference_answer", "test_code", "response", "teacher"]  # a missing one is null
REASONING_GYM = "reasoning_gym"
AUTO = "auto"


def reasoning_gym(origin: "Origin") -> pl.DataFrame:
    """Procedural questions with their answers, from the package reasoning-gym.

    Each task draws from a seed hashed from `seed` and its name. The package makes item i of seed s from s + i: with
    the seeds as they are, neighbouring ones would share nearly all their items.
    """
    from reasoning_gym import create_dataset

    rows: list[dict[str, str]] = []
    for name, settings in origin.datasets.items():
        seed = int.from_bytes(sha256(f"{origin.seed}/{name}".encode()).digest()[:3])
        settings = {"size": settings} if isinstance(settings, int) else settings
        try:
            items = list(create_dataset(name, **{"seed": seed, **settings}))
        except (ValueError, TypeError, AssertionError) as error:
            raise SourceError(f"reasoning_gym: datasets: {name}: {error}") from None
        rows += [{"question": item["question"], "reference_answer": str(item["answer"])} for item in items]
    return pl.DataFrame(rows, schema={"question": pl.String, "reference_answer": pl.String})


class Origin(Section):
    """Files read by an adapter, or a generator. A subclass may have more `generators`.

    >>> Origin(location="gsm8k/*.jsonl", adapter="gsm8k", limit=500)
    """

    generators: ClassVar[Mapping[str, Generator]] = {REASONING_GYM: reasoning_gym}

    location: Annotated[str, Field(min_length=1)] | None = None  # path, folder, glob, $VARS, hf://datasets/...
    adapter: str | None = None  # a form of docs/adapters.md; auto, the default with a location: found by the columns
    # the adapter's column: its name or path (a.0.b) in these files
    columns: dict[str, str] = Field(default_factory=dict)
    teacher: str | None = None  # of responses whose row names none
    generator: str | None = None  # instead of files: rows that are made here
    seed: int = 0  # of a generator
    # reasoning_gym: task: size, or the task's settings with `size`
    datasets: dict[str, int | dict[str, Any]] = Field(default_factory=dict)
    where: str | None = None  # SQL on the columns of the files: `score > 3 AND ARRAY_CONTAINS(correct, true)`
    limit: Annotated[int, Field(ge=1)] | None = None  # the first so many of those rows, in file order
    # The share of rows that may be at fault. A row that can't be read is dropped and counted; one such row is no reason
    # to refuse a source.
    max_faults: Annotated[float, Field(ge=0, le=1)] = 0.01
    turns: Several | None = None  # chats of several turns: their first question and answer, or none of it
    system: System = "drop"  # the system prompt of a chat: keep puts it before the question

    @property
    def beside(self) -> Beside:
        """What is kept of its rows beside questions and answers; a benchmark keeps nothing."""
        return Beside()

    @property
    def condition(self) -> str | None:
        """In SQL, which rows are read; None for all."""
        return self.where

    @property
    def form(self) -> str:
        """The adapter, or AUTO; empty for a generator."""
        return "" if self.generator else self.adapter or AUTO

    @field_validator("adapter")
    @classmethod
    def _known_adapter(cls, name: str | None) -> str | None:
        return name if name == AUTO else _one_of(name, ADAPTERS, "adapter")

    @field_validator("where")
    @classmethod
    def _is_sql(cls, where: str | None) -> str | None:
        return where and Condition(where).sql

    @field_validator("generator")
    @classmethod
    def _known_generator(cls, name: str | None) -> str | None:
        return _one_of(name, cls.generators, "generator")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.location is None) == (self.generator is None):
            raise ValueError("exactly one of location and generator must be given")
        if self.generator and (self.adapter or self.columns or self.where):
            raise ValueError("adapter, columns and where are of files, and a generator has none")
        if self.columns and self.form == AUTO:
            raise ValueError("columns are those of an adapter: name it, as in `adapter: jsonl` for columns of your own")
        if unknown := set(self.columns) - set(ADAPTERS[self.form].fields if self.columns else ()):
            known = ", ".join(ADAPTERS[self.form].fields)
            raise ValueError(f"columns: {', '.join(sorted(unknown))}: unknown here; there are: {known}")
        if (self.generator == REASONING_GYM) != bool(self.datasets):
            raise ValueError("datasets must be given with generator: reasoning_gym, and only with it")
        return self


def _one_of(name: str | None, known: Mapping[str, Any], kind: str) -> str | None:
    if name is not None and name not in known:
        raise ValueError(f"no {kind} {name}; there are: {', '.join(known)}")
    return name


def fingerprint(origin: Origin, base: Path) -> str:
    """sha256 hex over the settings and what they name: the files' content, or the generating package's version.

    The adapter's version is no part of it: `am plan` reports that by name.
    """
    packaged = version("reasoning-gym") if origin.generator == REASONING_GYM else None
    content = content_hash(origin.location, base) if origin.location else packaged
    return sha256(f"{origin.model_dump_json()}\n{content}".encode()).hexdigest()
