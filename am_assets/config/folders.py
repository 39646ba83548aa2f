"""The folders below that of a project that every table may read and write."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    data: Path

    @property
    def assets(self) -> Path:
        return self.data / "assets"

    @property
    def memo(self) -> Path:
        return self.data / "memo"

    @property
    def graphs(self) -> Path:
        return self.data / "graphs"

    @property
    def mapped(self) -> Path:
        return self.data / "mapped"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def tokens(self) -> Path:
        return self.data / "tokens"
