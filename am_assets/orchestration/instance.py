"""The Dagster instance of a project: environment, bundled settings, and diagnosis of database errors.

`python -m am_assets.orchestration.instance` prepares the instance that DAGSTER_HOME names, for `dagster dev` and the
daemon. Nothing here imports Dagster, as the environment has to be set before that.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import yaml

from am_assets.config.cluster import FILE, load_cluster
from am_assets.config.files import ConfigError
from am_assets.runtime.threads import share_cores
from am_assets.storage.atomic import write_whole

BUNDLED = Path(__file__).with_name("dagster.yaml")
STORAGE_KEYS = {"storage", "run_storage", "event_log_storage", "schedule_storage"}  # of dagster.yaml
STORAGE = "# Of cluster.yaml, on all machines:"  # the line before the storage that is added to dagster.yaml
# By a part of the message of SQLite: the advice to the user.
REMEDIES = {
    "locked": "another program holds it: close that (`fuser` of the file names it) and run again",
    "readonly": "make the file and its folder writable for this user, or point DAGSTER_HOME to a folder that is",
    "unable to open": "make its folder readable and writable for this user, or point DAGSTER_HOME to one that is",
    "full": "free some space and run again",
    "malformed": "restore it from a backup, or move it aside and apply again: tables and memo do not depend on it",
}


def prepare_environment(instance: Path) -> None:
    """Set the environment before Dagster and torch are imported; create `dagster.yaml` in a new project folder, and in
    that of a cluster have it name its database. `ConfigError` where the file contradicts `cluster.yaml`."""
    os.environ.setdefault("DAGSTER_HOME", str(instance))
    share_cores()
    os.environ.setdefault("TQDM_DISABLE", "1")  # progress bars of libraries would break up our own
    settings = Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(BUNDLED, settings)
    from am_assets.project import data_folder

    _keep_records(settings, data_folder() / FILE)


def _keep_records(settings: Path, file: Path) -> None:
    """Have Dagster keep its records in the database that the file of a cluster names."""
    text, cluster = settings.read_text(), load_cluster(file)
    if cluster is None:
        if STORAGE in text:
            raise ConfigError(
                f"{settings}: its storage is the database of a cluster, and {file} is not there: put that back,"
                f" or remove the storage here, from `{STORAGE}` on, to go on with one machine"
            )
        return
    content = yaml.safe_load(text) or {}
    named = {key: content[key] for key in sorted(STORAGE_KEYS & content.keys())}
    wanted = {"storage": {"postgres": {"postgres_url": {"env": cluster.database_env}}}}
    if not named:
        write_whole(settings, f"{text.rstrip()}\n\n{STORAGE}\n{yaml.safe_dump(wanted)}")
    elif named != wanted:
        raise ConfigError(
            f"{settings}: {', '.join(named)}: the records of a cluster are in the database that {FILE} names: remove it"
        )


def diagnose(error: Exception) -> str:
    """A message for a database error of the instance: the file at fault, the reason, and what to do."""
    from am_assets.project import project

    home = Path(os.environ["DAGSTER_HOME"])
    if cluster := project().cluster:
        why = " ".join(str(getattr(error, "orig", error)).split())
        return (
            f"the database that {cluster.database_env} names can't be used ({why}). Nothing stored is lost: run again"
        )
    where, why = _unwritable(home) or (home, str(getattr(error, "orig", error)))
    remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in why), "see its log")
    return f"{where}: the database of the Dagster instance can't be used ({why}): {remedy}. Nothing stored is lost"


def _unwritable(home: Path) -> tuple[Path, str] | None:
    """The first database file that can't be written, with SQLite's reason; None where all can be."""
    for path in sorted(home.rglob("*.db"), key=lambda path: len(path.name)):  # files of single runs, named by ids, last
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
