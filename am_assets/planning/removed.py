"""What was materialized and is not there any more: tables, and the files that lie beside them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from am_assets.engines.models.folders import no_model
from am_assets.planning.records import Made
from am_assets.storage.copies import DISK, of
from am_assets.storage.stored import StoredTables
from am_assets.training.release import MANIFEST, manifest

RELEASE = "release"  # metadata of a table that has files beside it, in a folder named by its partition
PAGE = "page"  # metadata of a table with a page beside it
CHECKPOINT = "checkpoint"  # metadata: the folder of a student, as a path in the folder of tables


def removed(tables: StoredTables, asset: str, made: Mapping[str, Made]) -> dict[str, int]:
    """The storage id of the materialization, by partition of an asset whose table was removed, or whose release, page
    or checkpoint was. Of a store these are not looked for: what is here are copies."""
    above = {at.rpartition("|")[0] for at in made}  # folders of partitions with two dimensions
    there = {folder: {*tables.partitions(f"{asset}/{folder}")} for folder in above}

    def is_there(at: str) -> bool:
        folder, _, name = at.rpartition("|")
        if name not in there[folder]:
            return False
        return of(tables.folder / asset) is not DISK or all(_beside(tables, asset, at, made[at]))

    return {at: one.storage_id for at, one in made.items() if not is_there(at)}


def _beside(tables: StoredTables, asset: str, at: str, made: Made) -> Iterator[bool]:
    """Whether each thing that a partition has beside its table is there."""
    place = tables.folder / asset / at
    if RELEASE in made.metadata:
        yield (place / "data").is_dir()
        if (place / MANIFEST).exists():
            yield all((place / name).exists() for name in manifest(place)[1])
    if PAGE in made.metadata:
        yield Path(f"{place}.html").exists()
    if CHECKPOINT in made.metadata:
        yield no_model(tables.folder / made.metadata[CHECKPOINT]) is None
