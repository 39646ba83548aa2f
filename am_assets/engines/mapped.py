"""Tables a second time, in a form that is mapped into memory and not decoded: to decode vectors takes longer than much
of what is done with them. A lost file is only time: the table is read again.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import polars as pl

from am_assets.engines.folders import flush


class MappedTables:
    """The tables in a folder, one a name and version: a name that comes with another version gets a new file."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, name: str, version: str, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Table `name`, mapped where this version of it is kept, else by `read`, and kept."""
        path = self.folder / f"{name}.{version[:16]}.arrow"
        with suppress(FileNotFoundError):
            return _mapped(path)
        table = read().rechunk()
        self._keep(table, path)
        for other in self.folder.glob(f"{name}.*.arrow"):
            if other != path:
                other.unlink(missing_ok=True)
        return table

    def _keep(self, table: pl.DataFrame, path: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.aside")
        try:
            table.write_ipc(aside)
            flush(aside)
            aside.rename(path)
        finally:
            aside.unlink(missing_ok=True)


def _mapped(path: Path) -> pl.DataFrame:
    import pyarrow  # what polars reads of such a file it copies

    return cast("pl.DataFrame", pl.from_arrow(pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()))
