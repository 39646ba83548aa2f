"""Training through the door of a user: an edit of the recipe, and `am apply`."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from am_assets.training import sft
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import FREE, Desk, at_desk
from am_assets_tests.rebuild import small

TRAIN = "training_policy or sft_checkpoint or training_log"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The small project down to its dataset."""
    models = small.Models()
    monkeypatch.chdir(tmp_path)
    small.write_students(tmp_path)
    small.write_project(Desk(tmp_path / "project"), models.url)
    desk = at_desk(tmp_path / "project", models, monkeypatch)  # type: ignore[arg-type]
    desk.write("endpoints.yaml", {name: reach | FREE for name, reach in small.endpoints(models.url).items()})
    assert {*applied(desk, "-r", "plain", "-s", "+sft_dataset").values()} == {"done"}
    yield desk
    models.stop()


def table(desk: Desk, asset: str) -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / asset / "plain.parquet")


@pytest.mark.slow
def test_a_training_is_logged_said_why_it_failed_and_not_made_twice(desk: Desk, monkeypatch) -> None:
    desk.edit("plain", "training", max_length=16)
    failed = am(desk, "apply", "-r", "plain", "-s", TRAIN)
    assert failed.exit_code == 1
    assert "none fits training.max_length 16" in failed.stderr
    desk.edit("plain", "training", max_length=700)
    assert am(desk, "train", "-r", "plain").exit_code == 0  # takes the edit up
    assert {*applied(desk, "-r", "plain", "-s", TRAIN)} == {("training_log", "plain")}
    [trained], log = table(desk, "sft_checkpoint").to_dicts(), table(desk, "training_log")
    assert log["step"].to_list() == list(range(1, trained["steps"] + 1))
    assert (log["loss"][0], log["loss"][-1]) == (trained["first_loss"], trained["last_loss"])
    weights = desk.folder / "assets" / trained["path"] / "model.safetensors"
    made = weights.stat().st_mtime_ns
    checkpoints = weights.parent.parent
    assert [path.name for path in checkpoints.iterdir()] == [weights.parent.name]
    assert len(list((desk.folder / "tokens").iterdir())) == 1

    desk.edit("plain", "training", max_loss_rise=9)  # changes no weights
    assert applied(desk, "-r", "plain", "-s", TRAIN)["sft_checkpoint", "plain"] == "done"
    monkeypatch.setattr(sft, "EARLIER", [sft.VERSION])
    monkeypatch.setattr(sft, "VERSION", "trl-next")  # checkpoints of before are as good
    assert planned(desk, "-r", "plain", "-s", TRAIN)
    assert applied(desk, "-r", "plain", "-s", TRAIN)["sft_checkpoint", "plain"] == "done"
    assert table(desk, "sft_checkpoint").to_dicts() == [trained]
    assert weights.stat().st_mtime_ns == made
