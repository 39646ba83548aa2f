"""What was materialized and is not there any more: tables, and the files of releases beside them."""

from collections.abc import Mapping

from am_assets.planning.records import Made
from am_assets.storage.copies import DISK, of
from am_assets.storage.stored import StoredTables

RELEASE = "release"  # metadata of a table that has files beside it, in a folder named by its partition


def removed(tables: StoredTables, asset: str, made: Mapping[str, Made]) -> dict[str, int]:
    """The storage id of the materialization, by partition of an asset whose table was removed or whose release was. Of
    a store no release is looked for: what is here are copies."""
    above = {at.rpartition("|")[0] for at in made}  # folders of partitions with two dimensions
    there = {folder: {*tables.partitions(f"{asset}/{folder}")} for folder in above}

    def is_there(at: str) -> bool:
        folder, _, name = at.rpartition("|")
        release = tables.folder / asset / at
        released = RELEASE not in made[at].metadata or of(release) is not DISK or release.is_dir()
        return name in there[folder] and released

    return {at: one.storage_id for at, one in made.items() if not is_there(at)}
