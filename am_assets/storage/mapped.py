"""A cache of tables as memory-mapped Arrow files: decoding Parquet vectors takes longer than most uses of them.

The files are disposable: where one is missing, the table is read again from its source.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import polars as pl

from am_assets.storage.atomic import version_aside


class MappedTables:
    """The cached tables in a folder, `<name>.<version>.arrow`: one version of each name is kept.

    table = MappedTables(folder).read("shard-1", content_hash, lambda: pl.read_parquet(path))
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, name: str, version: str, read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Table `name`: mapped where this version is cached, else the result of `read`, which is then cached."""
        path = self.folder / f"{name}.{version[:16]}.arrow"
        with suppress(FileNotFoundError):
            return _mapped(path)
        table = read().rechunk()
        with version_aside(path) as aside:
            table.write_ipc(aside)
        return table


def _mapped(path: Path) -> pl.DataFrame:
    import pyarrow  # polars itself copies when it reads such a file

    return cast("pl.DataFrame", pl.from_arrow(pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()))
