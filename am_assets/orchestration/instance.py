"""The Dagster instance of a project: its environment and settings, and what is wrong where its database refuses.

`python -m am_assets.orchestration.instance` prepares the one that DAGSTER_HOME names, for `dagster dev` and the daemon.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from am_assets.runtime.threads import share_cores

BUNDLED = Path(__file__).with_name("dagster.yaml")
# What SQLite says, and what to do about it.
REMEDIES = {
    "locked": "another program holds it: close that (`fuser` of the file names it) and run again",
    "readonly": "make the file and its folder writable for this user, or point DAGSTER_HOME to a folder that is",
    "unable to open": "make its folder readable and writable for this user, or point DAGSTER_HOME to one that is",
    "full": "free some space and run again",
    "malformed": "restore it from a backup, or move it aside and apply again: tables and memo do not depend on it",
}


def prepare_environment(instance: Path) -> None:
    """What has to stand before Dagster and torch load; a new project folder gets the bundled instance settings."""
    os.environ.setdefault("DAGSTER_HOME", str(instance))
    share_cores()
    os.environ.setdefault("TQDM_DISABLE", "1")  # the libraries' bars would run through ours
    settings = Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(BUNDLED, settings)


def in_words(error: Exception) -> str:
    """Which file of the instance refuses, why, and what to do; for an error of its database."""
    home = Path(os.environ["DAGSTER_HOME"])
    where, why = _refusing(home) or (home, str(getattr(error, "orig", error)))
    remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in why), "see its log")
    return f"{where}: the database of the Dagster instance can't be used ({why}): {remedy}. Nothing stored is lost"


def _refusing(home: Path) -> tuple[Path, str] | None:
    """The first database file that can't be written, and SQLite's reason."""
    for path in sorted(home.rglob("*.db"), key=lambda path: len(path.name)):  # those of single runs last
        if not os.access(path, os.W_OK):
            return path, "readonly file"
        try:
            with closing(sqlite3.connect(path, timeout=0)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
        except sqlite3.Error as error:
            return path, str(error)
    return None


if __name__ == "__main__":
    prepare_environment(Path(os.environ["DAGSTER_HOME"]))
