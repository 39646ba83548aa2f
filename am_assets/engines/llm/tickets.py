"""The on-disk state of pending batches: a small JSON file each, and the keys of its requests beside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from am_assets.storage.atomic import write_whole
from am_assets.storage.copies import of
from am_assets.storage.segments import write_durably


@dataclass(frozen=True)
class Ticket:
    """One batch. `batch_id` is None from the upload of its input until the batch is created."""

    path: Path
    model: str
    api_base: str | None
    file_id: str
    submitted: float  # seconds since 1970
    batch_id: str | None = None

    def keys(self) -> pl.DataFrame:
        """The columns key and sampling of its requests; tickets of older versions have keys only."""
        of(self._keys_path).here(self._keys_path)
        return pl.read_parquet(self._keys_path)

    def write(self, keys: pl.DataFrame | None = None) -> None:
        """Store the ticket, and its keys if given. Returns when it would survive a power cut."""
        if keys is not None:
            write_durably(keys, self._keys_path.with_suffix(".keys"), self._keys_path)
        write_whole(self.path, json.dumps({name: value for name, value in vars(self).items() if name != "path"}))

    def remove(self) -> None:
        of(self.path).remove([self.path, self._keys_path])

    @property
    def _keys_path(self) -> Path:
        return self.path.with_suffix(".parquet")


def open_tickets(folder: Path, model: str, api_base: str | None) -> Iterator[Ticket]:
    """The tickets in `folder` of one model at one address, sorted by file name."""
    for path in of(folder).paths(folder, ".json"):
        ticket = Ticket(path, **json.loads(path.read_text()))
        if (ticket.model, ticket.api_base) == (model, api_base):
            yield ticket
