"""`data/sources.yaml`, and the step from a source's rows to the questions of one shard of the pool.

Identity, shards, merging and defects belong here. What a row of some data set means belongs to `adapters/`. Properties
of a question are measured in `pool/features.py` and filtered on by recipes, never here.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from am_assets.config.files import ConfigError, merge, parse, read_yaml
from am_assets.config.licenses import RANK, UNKNOWN, normalized
from am_assets.config.partitions import MOST_PARTITIONS, name_fault
from am_assets.datasets import catalog, demo
from am_assets.datasets.beside import Beside
from am_assets.datasets.exclusions import NOTHING, Exclusions, exclude
from am_assets.datasets.identity import asks, question_ids
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Generator, Origin
from am_assets.datasets.reading import Told, read_rows
from am_assets.runtime.wording import counted
from am_assets.storage.schemas import RawPool

VERSION = "8"  # raise when the same rows give other questions
MOST_CHARS = 1_000_000
KEPT_CHARS = 1_000  # of an oversized question
DIFFER = "differing references"
PLACES = "raw_pool_places"  # beside the tables, by shard: question_id, place (`file:line`), own_id of every row
USE = "use"  # the key of the names that are taken from the catalogue, and so the name of no source
PUBLISHED_ARITHMETIC = "published_arithmetic"


class Source(Origin):
    """One entry of `sources.yaml`."""

    generators: ClassVar[Mapping[str, Generator]] = {
        **Origin.generators,
        PUBLISHED_ARITHMETIC: lambda source: demo.published_arithmetic(source.limit or 0, source.seed),
        "planted": lambda source: demo.planted(source.seed),
    }

    rank: int  # of near-duplicate questions, the one of the lowest rank is kept
    shards: Annotated[int, Field(ge=1)] = 1  # slices that are measured in runs of their own
    license: str | None = None  # of rows that name none: apache-2.0, cc-by-nc-4.0, …; null: unknown
    license_column: str | None = None  # the path of theirs, where it is another than `license`
    keep: list[str] = Field(default_factory=list)  # paths that are carried along in `extra`, released on request

    @property
    def beside(self) -> Beside:
        return Beside(self.license, self.license_column, tuple(self.keep))

    @field_validator("license")
    @classmethod
    def _spelling(cls, name: str | None) -> str | None:
        return name and normalized(name)

    @model_validator(mode="after")
    def _paths_are_of_files(self) -> Self:
        if self.generator and (self.license_column or self.keep):
            raise ValueError("license_column and keep are of files, and a generator has none")
        return self

    @model_validator(mode="after")
    def _endless_needs_limit(self) -> Self:
        if self.generator == PUBLISHED_ARITHMETIC and self.limit is None:
            raise ValueError("limit must be given with generator: published_arithmetic, which has no end of its own")
        return self


def load_sources(path: Path) -> dict[str, Source]:
    """The sources by name, in file order; `ConfigError` names the file and every field at fault.

    Those that `use:` names stand where it stands, with the fields of an entry of the same name over the catalogue's.
    """
    if not path.exists():
        raise ConfigError(f"{path}: no such file: AM_DATA names the folder of a project, and `am init` writes one")
    content = _with_used(read_yaml(path), path)
    if not content:
        raise ConfigError(f"{path}: no source here")
    for name in content:
        if fault := name_fault("source", name):
            raise ConfigError(f"{path}: {name}: {fault}")
    sources = {name: parse(Source, entry, f"{path}: {name}") for name, entry in content.items()}
    if (count := sum(source.shards for source in sources.values())) > MOST_PARTITIONS:
        raise ConfigError(
            f"{path}: {counted(count, 'shard')}; at most {MOST_PARTITIONS}, because Dagster stops telling what is"
            f" stale where {MOST_PARTITIONS + 1} or more partitions flow together: lower `shards:` of the large"
            " sources, or put small ones into one file"
        )
    keys = shard_keys(sources)
    if duplicates := sorted({key for key in keys if keys.count(key) > 1}):
        raise ConfigError(f"{path}: two sources claim the shard {', '.join(duplicates)}: rename one of them")
    return sources


def _with_used(content: dict[str, Any], path: Path) -> dict[str, Any]:
    if USE not in content:
        return content
    names, where = content[USE], f"{path}: {USE}"
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{where}: expected a list of names of the catalogue, as in `use: [openr1-math]`")
    known = catalog.load_catalog(path.parent)
    used = {name: catalog.listed(name, known, where).as_source() for name in names}
    if len(used) < len(names):
        raise ConfigError(f"{where}: a name stands there twice: {max(names, key=names.count)}")
    sources: dict[str, Any] = {}
    for name, entry in content.items():
        sources |= used if name == USE else {} if name in used else {name: entry}
    for name in used.keys() & content.keys():
        if not isinstance(content[name], dict | None):
            raise ConfigError(f"{path}: {name}: expected fields that differ from those of the catalogue")
        sources[name] = merge(used[name], content[name] or {})
    return sources


def shard_keys(sources: dict[str, Source]) -> list[str]:
    """The partition keys in file order: the source's name, or `<name>-<n>` where it has several shards, with `n`
    zero-padded to one width so that keys sort in numeric order."""
    return [key for name, source in sources.items() for key in _keys(name, source)]


def source_of(sources: dict[str, Source], shard: str) -> str:
    """The source that a shard is a slice of."""
    return next(name for name, source in sources.items() if shard in _keys(name, source))


def _keys(name: str, source: Source) -> list[str]:
    digits = len(str(source.shards - 1))
    return [name] if source.shards == 1 else [f"{name}-{number:0{digits}}" for number in range(source.shards)]


def read_shard(
    sources: dict[str, Source],
    shard: str,
    base: Path,
    told: Told | None = None,
    exclusions: Exclusions = NOTHING,
) -> pl.DataFrame:
    """The questions of one shard: a valid `RawPool`, sorted by question_id, independent of the order of the rows.

    The id of a question alone determines its shard, so other rows cannot move it. Rows of one id are merged: `copies`
    counts them, published responses are united, and of differing tests or constraints the smallest text is taken, of
    differing licences the strictest.
    Empty and oversized questions, and those whose references are different values, are kept and marked in `defect`;
    of excluded questions and published responses no text is kept. A relative location starts at `base`. What reading
    the source told is in `told`. `SourceError` where the source cannot be read or has no usable row.

    >>> sources = load_sources(Path("data/sources.yaml"))
    >>> read_shard(sources, "arithmetic-0", Path("data"))
    """
    name = source_of(sources, shard)
    source = sources[name]
    number = _keys(name, source).index(shard)
    told = Told() if told is None else told
    parts, usable = [], False
    for rows in read_rows(source, base, told):
        rows = _identified(rows)
        usable = usable or rows["defect"].null_count() > 0
        parts.append(rows.filter(_shard_number(source.shards) == number))
    if not usable:
        faults = "".join(f"; {why}: {where}" for why, where in told.dropped().items())
        raise SourceError(f"source {name}: every one of its rows is empty or oversized ({source.location}){faults}")
    rows = pl.concat(parts)
    place = pl.col("place").str.strip_prefix(f"{base}/")
    told.came_from = rows.select("question_id", place, "own_id").sort("question_id", "place")
    merged = _merge(rows).with_columns(pl.lit(name).alias("source"))
    return exclude(RawPool.validate(merged.select(RawPool.column_names()), cast=True), exclusions)


def _shard_number(shards: int) -> pl.Expr:
    return pl.col("question_id").str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64) % shards


def _identified(rows: pl.DataFrame) -> pl.DataFrame:
    """With question_id and defect; of an oversized question only the beginning."""
    rows = rows.with_columns(question_ids(rows["question"]).alias("question_id"))
    empty = ~pl.Series([asks(text) for text in rows["question"]], dtype=pl.Boolean)
    oversized = pl.col("question").str.len_chars() > MOST_CHARS
    return rows.with_columns(
        pl.when(pl.lit(empty)).then(pl.lit("empty")).when(oversized).then(pl.lit("oversized")).alias("defect"),
        pl.when(oversized).then(pl.col("question").str.slice(0, KEPT_CHARS)).otherwise("question").alias("question"),
    )


def _strictness() -> pl.Expr:
    """The rank of the column `license`, whose strictest has the largest; a null is an unknown licence."""
    return pl.col("license").fill_null(UNKNOWN).replace_strict(RANK, default=RANK["other"], return_dtype=pl.UInt8)


def _merge(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a question_id."""
    published = pl.col("published").explode(empty_as_null=False, keep_nulls=False).unique().sort()
    # Their places are part of the ids of the others.
    empty_last = published.sort_by(published.struct.field("response") == "", maintain_order=True)
    merged = (
        rows.sort("question_id", "defect", "question", nulls_last=False)
        .group_by("question_id", maintain_order=True)
        .agg(
            pl.first("question", "defect"),
            pl.min("reference_answer", "test_cases", "constraints", "extra"),
            empty_last,
            pl.col("license").sort_by(_strictness(), "license", descending=True, nulls_last=False).first(),
            pl.len().cast(pl.UInt32).alias("copies"),
            references=pl.col("reference_answer").drop_nulls().unique(),
        )
    )
    several = merged.filter(pl.col("references").list.len() > 1).select("question_id", "references")
    differ = [key for key, found in several.iter_rows() if len({reference_value(one) for one in found}) > 1]
    return merged.drop("references").with_columns(
        defect=pl.when(pl.col("defect").is_null() & pl.col("question_id").is_in(differ))
        .then(pl.lit(DIFFER))
        .otherwise("defect")
    )


def reference_value(reference: str) -> str:
    r"""A reference without what spells the same value otherwise: dollars, spaces, `\left`, `\dfrac`, zeros at the end.

    Two spellings may still be of one value; then the question is taken for one whose references differ.

    >>> reference_value(r"$\dfrac{1}{2}$") == reference_value(r"\frac 12"), reference_value("42.0")
    (True, '42')
    """
    plain = re.sub(r"\\(?:left|right|displaystyle|,|;|!)|\\text\s*|[\s${}]", "", reference).rstrip(".").lower()
    plain = re.sub(r"\\[dt]frac", r"\\frac", plain)
    try:
        return format(Decimal(plain.replace(",", "")).normalize(), "f")
    except InvalidOperation:
        return plain
