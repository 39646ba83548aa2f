"""A project applied by an earlier version moves over: what was asked, run and trained is neither asked, run nor trained
again.

`project_0_1_eb0c903.tar.xz` is the project of `rebuild/small.py`, applied whole by commit eb0c903, with its students.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from am_assets.orchestration.students import FOLDER
from am_assets.orchestration.tables import content_version
from am_assets.storage.memo import Memo
from am_assets.training.dataset import TURN
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import FREE, Desk, at_desk
from am_assets_tests.rebuild import small

ARCHIVE = Path(__file__).with_name("project_0_1_eb0c903.tar.xz")
# What is measured once more, for nothing: verdicts, by verifiers whose rules that version did not have (the student's
# programs on a benchmark with tests, which it did not remember, among them); overlap, which is remembered with all
# items that a question touches now; and pairs, which it did not remember. `training` is no training: a student is known
# by the release from now on.
EXECUTED = {"code": 5, "instructions": 1, "math": 18, "overlaps": 4, "pairs": 3, "training": 1}


@pytest.fixture
def models() -> Iterator[small.Models]:
    models = small.Models()
    yield models
    models.stop()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: small.Models) -> Desk:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)  # students are named by relative folders
    desk = at_desk(tmp_path / "project", models, monkeypatch)
    desk.write("endpoints.yaml", {name: reach | FREE for name, reach in small.endpoints(models.url).items()})
    return desk


def measured(desk: Desk) -> dict[str, int]:
    """Rows of the memo by namespace."""
    folders = [folder for folder in (desk.folder / "memo").iterdir() if [*folder.glob("*.parquet")]]
    return {one.name: sum(pl.read_parquet(part).height for part in one.glob("*.parquet")) for one in folders}


def released(desk: Desk) -> dict[str, str]:
    """Versions of the stored tables, and what is released, without the columns that rows did not have then."""
    kept = ("sft_checkpoint", "responses", "question_labels", "reward_scores", "math_verdicts")
    paths = [path for name in kept for path in (desk.folder / "assets" / name).glob("*.parquet")]
    versions = {str(path.relative_to(desk.folder)): content_version(pl.read_parquet(path)) for path in paths}
    releases = desk.folder.glob("assets/sft_dataset/*/")
    return versions | {path.name: content_version(trained_on(path)) for path in releases}


def trained_on(release: Path) -> pl.DataFrame:
    """What a student learns of a release: as a table of texts had it, or in its files."""
    if release.with_suffix(".parquet").exists() and "think" in pl.read_parquet_schema(release.with_suffix(".parquet")):
        rows = pl.read_parquet(release.with_suffix(".parquet")).select("response_id", "question", turn=TURN)
    else:
        said = pl.col("messages").list
        rows = pl.read_parquet(release / "data" / "*.parquet").select(
            "response_id",
            question=said.first().struct.field("content"),
            turn=said.last().struct.field("content"),
        )
    return rows.sort("response_id")


def trained(desk: Desk) -> dict[str, int]:
    """Files of the trained students, and when they were written."""
    paths = (desk.folder / "assets" / "checkpoints").rglob("*.safetensors")
    return {str(path.relative_to(desk.folder)): path.stat().st_mtime_ns for path in paths}


@pytest.mark.slow
def test_a_project_of_an_earlier_version_asks_runs_and_trains_nothing_again(desk: Desk, models: small.Models) -> None:
    before, rows, weights = released(desk), measured(desk), trained(desk)
    assert before and rows["responses"] and weights
    outcomes = applied(desk, "--all")
    assert {*outcomes.values()} == {"done"}
    assert models.bodies == []
    now = measured(desk)
    assert {name: now[name] - rows.get(name, 0) for name in now if now[name] != rows.get(name, 0)} == EXECUTED
    assert trained(desk) == weights
    assert released(desk) == before
    assert planned(desk, "--all") == {}, am(desk, "plan", "--all").stdout

    students = Memo(desk.folder / "memo").known("training").collect()
    by_release = students.filter(pl.col(FOLDER).is_not_null())  # as they are known from now on
    assert by_release.height and {*by_release[FOLDER]} <= {*students.filter(pl.col(FOLDER).is_null())["key"]}
