"""What is stored of a project, read by name and without Dagster: tables, and the policies they were made under."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import ValidationError

from am_assets.config.files import ConfigError, Section
from am_assets.config.recipe import SECTIONS, Recipe

EXTENSION = ".parquet"
FORM = 1  # of tables and memo; raised where older code would misread or spoil what is stored
FORM_FILE = "FORMAT"  # in the folder of tables; where it is missing, the form is the first
P = TypeVar("P", bound=Section)


def refuse_newer(folder: Path) -> None:
    """`ConfigError` where the tables in `folder`, and the memo beside them, were stored by a later am-assets."""
    file = folder / FORM_FILE
    text = file.read_text().strip() if file.exists() else "1"
    if not text.isdecimal():
        raise ConfigError(f"{file}: {text[:40]!r} is no version: put the number of the stored form back (here: {FORM})")
    if int(text) > FORM:
        raise ConfigError(
            f"{file}: this folder is stored in form {text}, and this am-assets knows forms up to {FORM}: install the"
            " newer am-assets that wrote it, or point AM_DATA to another folder. Nothing was changed"
        )


class StoredTables:
    """The tables in a folder, one Parquet file a partition: `<asset>/<partition>.parquet`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, asset: str, partition: str, columns: list[str] | None = None) -> pl.DataFrame:
        """A table, or some of its columns; `FileNotFoundError` where it is not there."""
        path = self._path(asset, partition)
        if not path.exists():
            raise FileNotFoundError(f"{asset} has no partition {partition} yet: materialize it first ({path})")
        return pl.read_parquet(path, columns=columns)

    def scan(self, asset: str, partition: str) -> pl.LazyFrame:
        return pl.scan_parquet(self._path(asset, partition))

    def partitions(self, asset: str) -> list[str]:
        """The partitions of an asset that are stored."""
        return sorted(path.stem for path in (self.folder / asset).glob(f"*{EXTENSION}"))

    def policies(self, name: str, now: Recipe) -> Recipe:
        """Recipe `name` as its policies are stored; a section that is not there, or of an older form, as it is `now`
        in the file."""
        sections = {section: getattr(now, section) for section in SECTIONS}
        for section, as_now in sections.items():
            if name in self.partitions(f"{section}_policy"):
                with suppress(ValidationError):
                    sections[section] = read_policy(type(as_now), self.read(f"{section}_policy", name))
        return Recipe(**sections)

    def _path(self, asset: str, partition: str) -> Path:
        return self.folder / asset / f"{partition}{EXTENSION}"


def settings(recipe: Recipe, section: str) -> pl.DataFrame:
    """A section as rows of setting and JSON value."""
    values = getattr(recipe, section).model_dump()
    rows = [(name, json.dumps(value, sort_keys=True, ensure_ascii=False)) for name, value in sorted(values.items())]
    return pl.DataFrame(rows, schema=["setting", "value"], orient="row")


def read_policy(model: type[P], rows: pl.DataFrame) -> P:
    """The policy that `settings` wrote."""
    return model.model_validate({name: json.loads(value) for name, value in rows.select("setting", "value").rows()})
