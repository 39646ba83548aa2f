"""The Dagster instance of a project: environment, bundled settings, and diagnosis of database errors.

`python -m am_assets.orchestration.instance` prepares the instance that DAGSTER_HOME names, for `dagster dev` and the
daemon. Nothing here imports Dagster, as the environment has to be set before that.
"""

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from am_assets.config.cluster import FILE, Launcher, load_cluster
from am_assets.config.files import ConfigError
from am_assets.runtime.threads import share_cores
from am_assets.storage.atomic import write_whole

BUNDLED = Path(__file__).with_name("dagster.yaml")
STORAGE_KEYS = {"storage", "run_storage", "event_log_storage", "schedule_storage"}  # of dagster.yaml
STORAGE = "# Of cluster.yaml, on all machines:"  # the line before what is added to dagster.yaml
COVER = "#1 "  # what lines begin with that are those of one machine, as long as a cluster has others
# By the field of `launcher`: the run launcher that it takes, and the package of that, which the extra of the same name
# installs.
LAUNCHERS = {
    "ray": ({"module": "am_assets.orchestration.ray", "class": "RayLauncher"}, "dagster_ray"),
    "kubernetes": ({"module": "am_assets.orchestration.kubernetes", "class": "KubernetesLauncher"}, "dagster_k8s"),
}
START_SECONDS = 840  # that a run may wait for a machine; Ray itself gives up a job after 900
# By a part of the message of SQLite: the advice to the user.
REMEDIES = {
    "already exists": "another command was making it at the same moment: run again",
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
    """Have Dagster keep its records in the database that the file of a cluster names, and launch runs as it says."""
    text, cluster = settings.read_text(), load_cluster(file)
    own, _, added = text.partition(STORAGE)
    if cluster is None:
        if added:
            raise ConfigError(
                f"{settings}: its storage is the database of a cluster, and {file} is not there: put that back,"
                f" or remove the storage here, from `{STORAGE}` on, to go on with one machine"
            )
        _write(settings, text, _uncovered(text))
        return
    if cluster.launcher and find_spec(LAUNCHERS[cluster.launcher.field][1]) is None:
        raise ConfigError(
            f"{file}: launcher: it needs packages that are not here: pip install --constraint constraints.txt"
            f" am-assets[{cluster.launcher.field}]"
        )
    own = _uncovered(own)
    content = yaml.safe_load(own) or {}
    storage = {"storage": {"postgres": {"postgres_url": {"env": cluster.database_env}}}}
    named = {key: content[key] for key in sorted(STORAGE_KEYS & content.keys())}
    if named and named != storage:
        raise ConfigError(
            f"{settings}: {', '.join(named)}: the records of a cluster are in the database that {FILE} names: remove it"
        )
    wanted = ({} if named else storage) | (_launched(cluster.launcher, content) if cluster.launcher else {})
    kept = _covered(own, wanted.keys()).rstrip()
    _write(settings, text, f"{kept}\n\n{STORAGE}\n{yaml.safe_dump(wanted)}" if wanted else own)


def _launched(launcher: Launcher, content: dict[str, Any]) -> dict[str, Any]:
    """The settings of an instance whose runs a cluster carries out, instead of those of `content`: as many at a time as
    it has room for, of each pool too, and time to wait for a machine."""
    limits, monitoring = content.get("concurrency") or {}, content.get("run_monitoring") or {}
    runs = {**limits.get("runs", {}), "max_concurrent_runs": launcher.runs}
    pools = {**limits.get("pools", {}), "default_limit": launcher.runs}
    own = {"ray": {"address": launcher.ray}} if launcher.ray else {}  # Kubernetes' are read from cluster.yaml itself
    return {
        "run_launcher": {**LAUNCHERS[launcher.field][0], "config": own},
        "concurrency": {**limits, "runs": runs, "pools": pools},
        "run_monitoring": {"enabled": True, **monitoring, "start_timeout_seconds": START_SECONDS},
    }


def _covered(text: str, keys: Collection[str]) -> str:
    """The YAML with the blocks of these keys as comments."""
    lines, covers = [], False
    for line in text.splitlines():
        if line[:1] not in ("", " ", "\t", "#"):
            covers = line.partition(":")[0] in keys
        lines.append(COVER + line if covers and line and line[0] != "#" else line)
    return "\n".join(lines)


def _uncovered(text: str) -> str:
    return "".join(line.removeprefix(COVER) for line in text.splitlines(keepends=True))


def _write(settings: Path, before: str, after: str) -> None:
    if after != before:
        write_whole(settings, after)


def diagnose(error: Exception) -> str:
    """A message for a database error of the instance: the file at fault, the reason, and what to do."""
    from am_assets.project import project

    home = Path(os.environ["DAGSTER_HOME"])
    if cluster := project().cluster:
        why = " ".join(str(getattr(error, "orig", error)).split())
        named = f"the database that {cluster.database_env} names can't be used"
        said = why if why.startswith(named) else f"{named}: {why}"
        return f"{said}. Nothing stored is lost: run again"
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
