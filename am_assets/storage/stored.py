"""Reading the stored tables of a project by name, without Dagster, and the policies they were made under.

StoredTables(folder).read("deduped_set", "demo", ["question_id", "kept"])
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import ValidationError

from am_assets.config.files import ConfigError, Section
from am_assets.config.recipe import SECTIONS, Recipe
from am_assets.storage.copies import of

EXTENSION = ".parquet"
END = b"PAR1"
FORM = 2  # format version of tables and memo; raise it where older code would misread or damage them
FORM_FILE = "FORMAT"  # in the folder of tables; version 1 where it is missing
P = TypeVar("P", bound=Section)


def form_of(folder: Path) -> int:
    """The form that the tables in `folder` are stored in. `ConfigError` where its file names none."""
    file = folder / FORM_FILE
    of(file).here(file)
    text = file.read_text().strip() if file.exists() else "1"
    if not text.isdecimal():
        raise ConfigError(f"{file}: {text[:40]!r} is no version: put the number of the stored form back (here: {FORM})")
    return int(text)


def refuse_newer(folder: Path) -> None:
    """`ConfigError` where the tables in `folder`, and the memo beside them, were written by a later version."""
    if (form := form_of(folder)) > FORM:
        raise ConfigError(
            f"{folder / FORM_FILE}: this folder is stored in form {form}, and this am-assets knows forms up to {FORM}:"
            " install the newer am-assets that wrote it, or point AM_DATA to another folder. Nothing was changed"
        )


class StoredTables:
    """The tables in a folder, one Parquet file a partition: `<asset>/<partition>.parquet`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, asset: str, partition: str, columns: list[str] | None = None) -> pl.DataFrame:
        """A table, or some of its columns; `FileNotFoundError` where the partition is not stored."""
        path = self.path(asset, partition)
        if not path.exists():
            raise FileNotFoundError(f"{asset} has no partition {partition} yet: materialize it first ({path})")
        return pl.read_parquet(path, columns=columns)

    def scan(self, asset: str, partition: str) -> pl.LazyFrame:
        """A table as a lazy frame; fails on collection where the partition is not stored."""
        return pl.scan_parquet(self.path(asset, partition))

    def partitions(self, asset: str) -> list[str]:
        """The stored partitions of an asset, sorted."""
        folder = self.folder / asset
        return [name.removesuffix(EXTENSION) for name in of(folder).names(folder, EXTENSION)]

    def policies(self, name: str, now: Recipe) -> Recipe:
        """Recipe `name` as its policies were stored; sections not stored, or of an older format, are those of `now`."""
        sections = {section: getattr(now, section) for section in SECTIONS}
        for section, as_now in sections.items():
            if name in self.partitions(f"{section}_policy"):
                with suppress(ValidationError):
                    sections[section] = read_policy(type(as_now), self.read(f"{section}_policy", name))
        return Recipe(**sections)

    def path(self, asset: str, partition: str) -> Path:
        """Where a table lies, as it is stored now, if it is; `ConfigError` where that is no whole file."""
        path = stored_at(self.folder, asset, partition)
        if of(path).here(path):
            refuse_damaged(path)
        return path


def refuse_damaged(path: Path) -> None:
    """`ConfigError` where a table does not end as Parquet does, as after a disk that failed or a copy broken off."""
    with path.open("rb") as file:
        file.seek(-min(len(END), path.stat().st_size), os.SEEK_END)
        if file.read() != END:
            raise ConfigError(f"{path}: not a whole Parquet file: remove it, and `am apply` makes it again")


def stored_at(folder: Path, asset: str, partition: str) -> Path:
    return folder / asset / f"{partition}{EXTENSION}"


def settings(recipe: Recipe, section: str) -> pl.DataFrame:
    """A section as a table of setting and JSON value, sorted by setting."""
    values = getattr(recipe, section).model_dump()
    rows = [(name, json.dumps(value, sort_keys=True, ensure_ascii=False)) for name, value in sorted(values.items())]
    return pl.DataFrame(rows, schema=["setting", "value"], orient="row")


def read_policy(model: type[P], rows: pl.DataFrame) -> P:
    """The inverse of `settings`; `ValidationError` where the rows do not fit `model`."""
    return model.model_validate({name: json.loads(value) for name, value in rows.select("setting", "value").rows()})
