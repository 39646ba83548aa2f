"""A training that comes to nothing is stopped, and says where."""

import math

import polars as pl
import pytest

from am_assets.training.sft import train
from am_assets.training.watching import PATIENCE, DivergedError, Watch, read_log
from am_assets_tests.training.jobs import a_job

STEADY = [2.0 - 0.01 * step for step in range(100)]
LEARNT = [2.0 / (1 + step) for step in range(100)]


def stopped_at(losses: list[float], most_rise: float | None = 4) -> int | None:
    watch = Watch(most_rise, lambda: ["id-1"])
    for step, loss in enumerate(losses, 1):
        try:
            watch.see(step, loss, 1.0)
        except DivergedError as error:
            assert f"step {step}: " in str(error) and "Its rows: id-1" in str(error)
            return step
    return None


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        (STEADY, None),
        (LEARNT, None),
        ([*STEADY, *[9.0] * 40], 100 + PATIENCE),
        ([*STEADY, *[9.0] * (PATIENCE - 1), 1.0, *[9.0] * (PATIENCE - 1), 1.0], None),  # it recovers
        ([*STEADY, *[3.0] * 40], None),  # worse, and not that much
        ([9.0] * 60, None),  # bad from the beginning
        ([*STEADY, math.nan], 101),
        ([*STEADY, math.inf], 101),
        ([math.nan], 1),
    ],
)
def test_a_loss_that_is_no_number_or_stays_high_stops(losses: list[float], step: int | None) -> None:
    assert stopped_at(losses) == step


def test_the_rise_that_stops_is_the_recipes_and_a_loss_that_is_no_number_stops_always() -> None:
    risen = [*STEADY, *[3.2] * 40]
    assert stopped_at(risen, 2) == 100 + PATIENCE
    assert stopped_at(risen, 2.5) is None
    assert stopped_at([*STEADY, *[900.0] * 40], None) is None
    assert stopped_at([*STEADY, math.nan], None) == 101


def test_a_gradient_that_is_no_number_stops_before_it_is_stored() -> None:
    with pytest.raises(DivergedError, match=r"step 3: the norm of the gradient is nan\. Its rows: id-1"):
        Watch(None, lambda: ["id-1"]).see(3, 1.0, math.nan)


@pytest.mark.parametrize("packing", [False, True])
def test_the_step_and_the_rows_of_a_loss_that_is_no_number_are_named(
    tmp_path, tiny_student, monkeypatch, packing
) -> None:
    """The loss of every batch with the row of 3 + 3 is no number, as where its numbers overflow."""
    from trl import SFTTrainer

    whole = SFTTrainer.compute_loss
    together = 2 if packing else 4  # rows in a step

    def broken(self, model, inputs, *args, **options):
        loss = whole(self, model, inputs, *args, **options)
        text = self.processing_class.decode(inputs["input_ids"].flatten())
        return loss * math.nan if "What is 3 + 3?" in text else loss

    monkeypatch.setattr(SFTTrainer, "compute_loss", broken)
    size = {"packing": True, "batch_size": 1, "max_length": 200} if packing else {"batch_size": 4}
    job = a_job(tmp_path, tiny_student, rows=8, **size)
    with pytest.raises(DivergedError, match=r"step \d: the loss is nan. Its rows: ") as stopped:
        train(job, progress=lambda _: None)
    told = str(stopped.value).partition("Its rows: ")[2].partition(";")[0].split(", ")
    assert "id-3" in told and len(told) == together
    assert set(told) < {f"id-{n}" for n in range(8)}
    assert not job.output.exists()


def test_of_a_student_that_was_trained_before_there_were_logs_there_is_none(tmp_path) -> None:
    assert read_log(tmp_path).equals(pl.DataFrame(schema=read_log(tmp_path).schema)) and read_log(tmp_path).width == 4
