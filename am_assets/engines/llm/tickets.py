"""What a batch that is under way leaves on disk: a small JSON file, and the keys of its requests beside it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from am_assets.storage.atomic import flush
from am_assets.storage.segments import write_durably


@dataclass(frozen=True)
class Ticket:
    """One batch. `batch_id` is None from the upload of its input until it was created."""

    path: Path
    model: str
    api_base: str | None
    file_id: str
    submitted: float  # seconds since 1970
    batch_id: str | None = None

    def keys(self) -> pl.DataFrame:
        return pl.read_parquet(self._keys_path)

    def write(self, keys: pl.DataFrame | None = None) -> None:
        """Write it down, with its keys the first time. Returns when it would survive a power cut."""
        if keys is not None:
            write_durably(keys, self._keys_path.with_suffix(".keys"), self._keys_path)
        aside = self.path.with_suffix(".aside")
        with aside.open("w") as file:
            json.dump({name: value for name, value in vars(self).items() if name != "path"}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)
        flush(self.path.parent)

    def remove(self) -> None:
        self.path.unlink()
        self._keys_path.unlink(missing_ok=True)

    @property
    def _keys_path(self) -> Path:
        return self.path.with_suffix(".parquet")


def open_tickets(folder: Path, model: str, api_base: str | None) -> Iterator[Ticket]:
    for path in sorted(folder.glob("*.json")):
        ticket = Ticket(path, **json.loads(path.read_text()))
        if (ticket.model, ticket.api_base) == (model, api_base):
            yield ticket
