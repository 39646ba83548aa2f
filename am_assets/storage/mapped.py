"""Tables a second time, in a form that is mapped into memory and not decoded: to decode vectors takes longer than much
of what is done with them. A lost file is only time: the table is read again.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import polars as pl

from am_assets.storage.atomic import file_aside


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
        with file_aside(path) as aside:
            table.write_ipc(aside)
        for other in self.folder.glob(f"{name}.*.arrow"):
            if other != path:
                other.unlink(missing_ok=True)
        return table


def _mapped(path: Path) -> pl.DataFrame:
    import pyarrow  # what polars reads of such a file it copies

    return cast("pl.DataFrame", pl.from_arrow(pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()))
