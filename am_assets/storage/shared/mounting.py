"""Which folders of a project the store of a cluster holds."""

from collections.abc import Callable
from pathlib import Path

from am_assets.config.cluster import FILE, Cluster
from am_assets.config.files import ConfigError
from am_assets.storage import copies
from am_assets.storage.shared.copies import MOUNTED, SHARED, STORE, Copies
from am_assets.storage.shared.database import Database


def mount(root: Path, cluster: Cluster | None, database: Callable[[], Database | None]) -> None:
    """Have the store of a cluster hold what machines share of the project `root`; without one, its file system.

    `ConfigError` where the folder has copies of a store and none is named."""
    if cluster and cluster.store:
        keeper = copies.of(root / SHARED[0])
        if not isinstance(keeper, Copies) or keeper.cluster != cluster:
            keeper = Copies(root, cluster, database)
        for folder in MOUNTED:
            copies.mount(root / folder, keeper)
        return
    if (root / "memo" / STORE).exists():
        where = (root / "memo" / STORE).read_text().split()[0]
        raise ConfigError(
            f"{root} has copies of what is in {where}, and {FILE} names no store: put `store` back, or have all of it"
            " here by `am cluster move`. Nothing was changed"
        )
    for folder in MOUNTED:
        copies.mount(root / folder, None)
