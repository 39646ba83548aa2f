"""Where the rows of a source or a benchmark come from: the settings both share, and reading the rows they name.

What one form of data means belongs to `adapters/`; ids, shards and defects belong to `sources.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from am_assets.config.files import Section
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.adapters.base import PARTS, or_null, require
from am_assets.datasets.locate import SourceError, content_hash, find_files
from am_assets.datasets.reader import read_batches
from am_assets.storage.schemas import PUBLISHED

Generator = Callable[["Origin"], pl.DataFrame]  # returns columns of PARTS
REASONING_GYM = "reasoning_gym"


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

    location: str | None = None  # path, glob, $VARS, hf://datasets/...
    adapter: str | None = None  # a module of `adapters/`
    # the adapter's column: its name or path (a.0.b) in these files
    columns: dict[str, str] = Field(default_factory=dict)
    teacher: str | None = None  # of responses whose row names none
    generator: str | None = None
    seed: int = 0
    # reasoning_gym: task: size, or the task's settings with `size`
    datasets: dict[str, int | dict[str, Any]] = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1)] | None = None  # the first so many rows, in file order

    @field_validator("adapter")
    @classmethod
    def _known_adapter(cls, name: str | None) -> str | None:
        return _one_of(name, ADAPTERS, "adapter")

    @field_validator("generator")
    @classmethod
    def _known_generator(cls, name: str | None) -> str | None:
        return _one_of(name, cls.generators, "generator")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.location is None) == (self.generator is None):
            raise ValueError("exactly one of location and generator must be given")
        if (self.location is None) != (self.adapter is None):
            raise ValueError("adapter must be given with location, and only with it")
        if unknown := set(self.columns) - set(ADAPTERS[self.adapter].columns if self.adapter else ()):
            known = ", ".join(ADAPTERS[self.adapter].columns) if self.adapter else "none, having no files"
            raise ValueError(f"columns: {', '.join(sorted(unknown))}: unknown here; there are: {known}")
        if (self.generator == REASONING_GYM) != bool(self.datasets):
            raise ValueError("datasets must be given with generator: reasoning_gym, and only with it")
        return self


def _one_of(name: str | None, known: Mapping[str, Any], kind: str) -> str | None:
    if name is not None and name not in known:
        raise ValueError(f"no {kind} {name}; there are: {', '.join(known)}")
    return name


def read_rows(origin: Origin, base: Path) -> Iterator[pl.DataFrame]:
    """Batches of question, reference_answer, test_cases, constraints and published, typed as in
    `storage/schemas`, in file order. A relative location starts at `base`.

    A null question reads as the empty text (`sources.py` marks it as a defect); an absent one is a `SourceError`.
    """
    left = origin.limit
    for name, parts in _batches(origin, base):
        yield _canonical(parts.slice(0, left), name, origin.teacher)
        left = left and left - min(left, len(parts))
        if left == 0:
            return


def _batches(origin: Origin, base: Path) -> Iterator[tuple[str, pl.DataFrame]]:
    """The generator's or the file's name, and a batch of PARTS with `line`."""
    if origin.generator:
        yield origin.generator, origin.generators[origin.generator](origin).with_row_index("line", offset=1)
        return
    assert origin.adapter and origin.location  # `_one_origin`
    adapter = ADAPTERS[origin.adapter]
    columns = {n: replace(c, path=origin.columns.get(n, c.path)) for n, c in adapter.columns.items()}
    for path in find_files(origin.location, base):
        for frame in read_batches(path, columns):
            parts = adapter.parts(frame, str(path))
            yield str(path), parts.with_columns(frame["line"])


def _canonical(parts: pl.DataFrame, file: str, teacher: str | None) -> pl.DataFrame:
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in PARTS if name not in parts.columns]
    filled = parts.with_columns(missing).with_columns(
        pl.col("question").fill_null(""),
        pl.col("teacher").fill_null(pl.lit(teacher, dtype=pl.String)),
        *[or_null(name) for name in ["reference_answer", "test_code", "response"]],
    )
    named = pl.col("teacher").is_not_null() | pl.col("response").is_null()
    require(filled, file, named, "a response of an unnamed teacher; give `teacher:` in the config")
    tests = pl.struct("test_code", "test_entry_point").struct.json_encode()
    answered = pl.concat_list(pl.struct("teacher", "response"))
    return filled.select(
        "question",
        "reference_answer",
        pl.when(pl.col("test_code").is_not_null()).then(tests).alias("test_cases"),
        "constraints",
        pl.when(pl.col("response").is_not_null()).then(answered).otherwise([]).cast(PUBLISHED.dtype).alias("published"),
    )


def fingerprint(origin: Origin, base: Path) -> str:
    """sha256 hex over the settings and what they name: the files' content, or the generating package's version.

    The adapter's version is no part of it: `am plan` reports that by name.
    """
    packaged = version("reasoning-gym") if origin.generator == REASONING_GYM else None
    content = content_hash(origin.location, base) if origin.location else packaged
    return sha256(f"{origin.model_dump_json()}\n{content}".encode()).hexdigest()
