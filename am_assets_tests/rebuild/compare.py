"""The promise, tried: an edited project brought up to date is the one that would be built from its files anew."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from am_assets.orchestration.schemas import TABLES
from am_assets_tests.desk import Desk
from am_assets_tests.rebuild import small
from am_assets_tests.rebuild.fields import Field

DATASET = '+key:"sft_dataset" or +key:"preference_dataset" or +key:"rl_dataset" or key:"recipe_report"'
FILES = ["recipes", "rounds", "pool", "sources.yaml", "benchmarks.yaml", "instruments.yaml", "endpoints.yaml", "memo"]
CHECKPOINTS = Path("assets", "checkpoints")  # lie under a hash of all that goes into them, as the memo's rows do
# Edits that are carried as far as trained students and their scores.
DEEP = ("recipe.training.", "recipe.evaluation.", "recipe.verification.keep", "recipe.sampling.drop", "source.limit",
        "benchmark.location", "benchmark.adapter", "benchmark.columns", "benchmark.limit",
        "instruments.math.timeout_seconds", "instruments.code.timeout_seconds", "instruments.code.max_tests",
        "instruments.code.whitespace")  # fmt: skip
RELEASED = "*/*/data/*.parquet"  # files of releases, which are no partitions
SHOWN = 8
LATE = "scores that come late"
Partition = tuple[str, str]


@dataclass
class Trial:
    """What came of one edit. `wrong` breaks the promise, `beside` does in files that are no tables."""

    field: str
    value: str = ""
    wrong: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)  # assets, in the order of the graph
    changed: list[str] = field(default_factory=list)

    def expect_none(self, what: str, found: list[str], beside: bool = False) -> None:
        if found:
            more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            (self.beside if beside else self.wrong).append(f"{what}: {', '.join(found[:SHOWN] + more)}")


@dataclass
class Built:
    """What an apply asked and measured beyond the memo it began with, and the tables and other files it left."""

    failed: list[str]
    ran: list[Partition]
    asked: Counter[str]
    measured: Counter[str]
    tables: dict[Partition, bytes]
    files: dict[str, bytes]


@contextmanager
def at(folder: Path, events: Path | None = None, keep: Path | None = None) -> Iterator[Desk]:
    """A desk whose instance is held in memory, where a run takes a third of the time. It knows what is stored in
    `events`; all that happened is stored in `keep`."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        held = instance.event_log_storage._held_conn.connection.dbapi_connection  # type: ignore[attr-defined]
        if events:
            with _sqlite(events) as stored:
                stored.backup(held)
        patch.setattr(dg.DagsterInstance, "get", staticmethod(lambda: instance))
        patch.setattr(Desk, "instance", lambda _: nullcontext(instance))
        patch.setenv("AM_DATA", str(folder))
        patch.setenv("TEST_MODEL_KEY", "none")
        patch.delenv("AM_SOURCES", raising=False)
        patch.chdir(folder.parent)
        yield Desk(folder)
        if keep:
            with _sqlite(keep) as stored:
                held.backup(stored)


@contextmanager
def _sqlite(path: Path):
    import sqlite3

    connection = sqlite3.connect(path)
    yield connection
    connection.close()


class Finished:
    """The small project, brought up to date: `shallow` down to the dataset, `deep` down to the scores."""

    def __init__(self, folder: Path):
        self.folder = folder

    def make(self, models: small.Models) -> None:
        small.write_students(self.folder)
        small.write_project(Desk(self.folder / "shallow"), models.url)
        shallow, deep = (self.folder / name for name in ("shallow", "deep"))
        with at(shallow, keep=self.events("shallow")) as desk:
            _all_done(desk.apply(select=DATASET))
        copy_files(shallow, deep)  # and not what was made of them: scores that come late are a trial of their own
        with at(deep, keep=self.events("deep")) as desk:
            _all_done(desk.apply())

    def events(self, name: str) -> Path:
        return self.folder / f"{name}.db"


def _all_done(outcomes: dict) -> None:
    unfinished = [f"{one.step}: {one.error}" for one in outcomes.values() if one.result != "done"]
    assert not unfinished, unfinished


def try_field(tried: Field, finished: Finished, models: small.Models, scratch: Path) -> Trial:
    """Edit the field in a copy of the finished project, bring that up to date, and hold it against one built anew."""
    trial = Trial(tried.name)
    name, select = ("deep", None) if tried.name.startswith(DEEP) else ("shallow", DATASET)
    edited, anew = (scratch / which for which in ("edited", "anew"))
    for folder in (edited, anew):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(finished.folder / name, edited)
    shutil.copytree(finished.folder / "students", scratch / "students", dirs_exist_ok=True)
    Desk(edited).write("endpoints.yaml", small.endpoints(models.url))
    trial.value = str(tried.edit(edited))
    copy_files(edited, anew)
    before = tables(edited)
    with at(edited, finished.events(name)) as desk:
        plan = {at: step.state for at, step in desk.plan(select=select).items()}
        if tried.kind.inert:
            trial.expect_none("the plan names", _said(plan))
            return trial
        made = build(desk, models, select)
        trial.expect_none("the second plan names", _said(desk.plan(select=select)))
    with at(anew) as desk:
        expected = build(desk, models, select)
    changed = [at for at, content in made.tables.items() if content != before.get(at)]
    trial.expect_none("failed", made.failed)
    trial.expect_none("built anew, failed", expected.failed)
    trial.expect_none("ran and not in the plan", _said(set(made.ran) - set(plan)))
    trial.expect_none("changed and not in the plan", _said(set(changed) - set(plan)))
    left = [at for at, state in plan.items() if at not in made.ran and state != "follows"]
    trial.expect_none("in the plan, did not run, and does not follow", _said(left))
    trial.expect_none("not what is built anew", _said(_differ(made.tables, expected.tables)))
    trial.expect_none("asked in vain", _requests(made.asked - expected.asked))
    trial.expect_none("measured in vain", _counts(made.measured - expected.measured))
    # then a table still rests on what was said or measured before the edit, even where both say the same
    trial.expect_none("asked only by what is built anew", _requests(expected.asked - made.asked))
    trial.expect_none("measured only by what is built anew", _counts(expected.measured - made.measured))
    trial.expect_none("not what is built anew", _differ(made.files, expected.files), beside=True)
    if tried.kind.name == "recipe":
        trial.expect_none("of the other recipe, changed", _said(at for at in changed if "other" in at[1].split("|")))
    trial.ran = list(dict.fromkeys(asset for asset, _ in made.ran))
    trial.changed = [asset for asset in trial.ran if any(asset == at[0] for at in changed)]
    return trial


def try_scores_that_come_late(finished: Finished, models: small.Models, scratch: Path) -> Trial:
    """The project that was finished down to the dataset, carried on to the scores: the one that was built at once."""
    trial = Trial(LATE)
    shutil.copytree(finished.folder / "shallow", scratch / "late")
    shutil.copytree(finished.folder / "students", scratch / "students", dirs_exist_ok=True)
    with at(scratch / "late", finished.events("shallow")) as desk:
        made = build(desk, models, None)
    at_once = finished.folder / "deep"
    trial.expect_none("failed", made.failed)
    trial.expect_none("not what is built at once", _said(_differ(made.tables, tables(at_once))))
    trial.expect_none("not what is built at once", _differ(made.files, files(at_once)), beside=True)
    return trial


def copy_files(source: Path, target: Path) -> None:
    """What a user wrote, the memo, and the checkpoints."""
    for name in [*FILES, CHECKPOINTS]:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        elif (source / name).exists():
            shutil.copy(source / name, target / name)


def build(desk: Desk, models: small.Models, select: str | None) -> Built:
    asked, measured = len(models.bodies), keys(desk.folder)
    outcomes = desk.apply(select=select)
    return Built(
        failed=[f"{at[0]}[{at[1]}]: {one.error[:300]}" for at, one in outcomes.items() if one.result == "failed"],
        ran=[at for at, one in outcomes.items() if one.result == "done"],
        asked=Counter(models.since(asked)),
        measured=keys(desk.folder) - measured,
        tables=tables(desk.folder),
        files=files(desk.folder),
    )


def keys(folder: Path) -> Counter[str]:
    """The memo's rows by namespace and key."""
    found = {
        f"{path.parent.name}/{key}"
        for path in (folder / "memo").glob("*/*.parquet")
        for key in pl.read_parquet(path, columns=["key"])["key"]
    }
    return Counter(found)


def tables(folder: Path) -> dict[Partition, bytes]:
    """The stored partitions by asset and key."""
    found = {}
    for name, content in Desk(folder).bytes().items():
        _, asset, *place = name.removesuffix(".parquet").split("/")
        if _is_table(Path(name)):
            found[asset, "|".join(place)] = content
    return found


def _is_table(path: Path) -> bool:
    """Whether it is the partition of an asset; the places of rows and the files of releases lie beside those."""
    return path.suffix == ".parquet" and path.parts[1] in TABLES and not path.match(RELEASED)


def files(folder: Path) -> dict[str, bytes]:
    """What lies beside the tables: releases, reports, checkpoints, places of rows."""
    assets = folder / "assets"
    beside = [path for path in assets.rglob("*") if path.is_file() and not _is_table(path.relative_to(folder))]
    return {str(path.relative_to(assets)): path.read_bytes() for path in beside}


def _differ(made: dict, expected: dict) -> list:
    """What is not as expected; what is made and not expected is of partitions that are gone."""
    return [name for name, content in expected.items() if made.get(name) != content]


def _said(partitions) -> list[str]:
    return sorted(f"{asset}[{at}]" for asset, at in partitions)


def _requests(asked: Counter[str]) -> list[str]:
    bodies = [json.loads(body) for body in sorted(asked.elements())]
    return [f"{body['model']}: {body['messages'][-1]['content'][:60]!r}" for body in bodies]


def _counts(measured: Counter[str]) -> list[str]:
    """How many rows of which namespace."""
    namespaces = Counter(key.partition("/")[0] for key in measured.elements())
    return [f"{count} of {name}" for name, count in sorted(namespaces.items())]
