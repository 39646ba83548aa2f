"""A training that is killed, or whose disk is full, goes on from where it last saved, as if nothing had happened."""

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from am_assets.runtime.digests import file_sha256
from am_assets.training.resume import PREFIX, CheckpointError, Resumable, folder_of
from am_assets.training.sft import Job, command, train
from am_assets.training.watching import LOG_FILE
from am_assets_tests.training.jobs import a_job

KINDS = {
    "padded": {"epochs": 4},
    "packed": {"packing": True, "max_length": 300, "batch_size": 2, "epochs": 4.5},
    "grouped by length": {"group_by_length": True, "epochs": 4},
    "adapters, and rows left out": {"lora": {"rank": 4, "dropout": 0.2}, "max_length": 66, "epochs": 12},
}


def killed(job: Job, kills: int, seed: int = 0) -> list[int]:
    """The steps that each attempt began with."""
    script = [sys.executable, "-m", "am_assets_tests.training.killed", job.model_dump_json(), str(kills), str(seed)]
    ran = subprocess.run(script, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def at(job: Job, name: str) -> Job:
    return job.model_copy(update={"output": job.output.with_name(name)})


def saved(job: Job, **when: float) -> Job:
    """The job with checkpoints so often."""
    return job.model_copy(update={"hardware": job.hardware.model_copy(update=when)})


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_killed_at_random_moments_has_the_weights_of_an_undisturbed_one(
    tmp_path, tiny_student, kind
) -> None:
    """`AM_KILLS=20` kills as often."""
    kills = int(os.environ.get("AM_KILLS", "4"))
    job = saved(a_job(tmp_path, tiny_student, rows=41, learning_rate=1e-2, **KINDS[kind]), save_steps=2)
    assert killed(at(job, "whole"), kills=0) == [0]
    began = killed(at(job, "killed"), kills)
    assert began == sorted(began) and began[-1] > 0, "no kill met a training that had saved"
    for file in ("model.safetensors", LOG_FILE):
        assert file_sha256(tmp_path / "whole" / file) == file_sha256(tmp_path / "killed" / file)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "tokens", "whole", "killed"}


class Killed(BaseException):
    pass


def interrupted(job: Job, step: int) -> list[str]:
    """Train until a step is reported, and leave it there as a kill would, but for the lock. What was said."""
    said: list[str] = []

    def progress(line: str) -> None:
        said.append(line)
        if line.startswith(f"step {step} of"):
            raise Killed

    with pytest.raises(Killed):
        train(job, progress)
    return said


@pytest.fixture
def said_each_step(monkeypatch):
    from am_assets.training import loop

    monkeypatch.setattr(loop, "REPORT_SECONDS", 0)


def first_words(job: Job) -> str:
    said: list[str] = []
    train(job, said.append)
    return said[0]


def test_only_a_whole_checkpoint_of_the_same_training_is_gone_on_from(tmp_path, tiny_student, said_each_step) -> None:
    job = saved(a_job(tmp_path, tiny_student, epochs=5), save_steps=2)
    interrupted(job, 5)
    kept = folder_of(job.output)
    assert [path.name for path in kept.glob(f"{PREFIX}*")] == [f"{PREFIX}4"]  # one alone
    (kept / "writing" / f"{PREFIX}6").mkdir(parents=True)  # a kill in mid-checkpoint leaves it so
    (kept / f"{PREFIX}8").mkdir()  # and nothing of ours leaves this
    assert interrupted(job, 7)[0] == "goes on after step 4 of 10"
    newest = kept / f"{PREFIX}6"
    with (newest / "optimizer.pt").open("r+b") as file:
        file.truncate(100)
    assert interrupted(job, 5)[0].startswith("step 1 of 10")  # it was cut off: from the beginning
    other = job.model_copy(update={"policy": job.policy.model_copy(update={"learning_rate": 1e-3})})
    assert interrupted(other, 3)[0].startswith("step 1 of 10")
    assert first_words(other) == "goes on after step 2 of 10"
    assert not kept.exists()
    assert train(other, lambda line: pytest.fail(line)).steps == 10  # it is there: nothing to do
    assert first_words(job).startswith("step 1 of 10")


def test_another_rule_of_when_to_stop_does_not_begin_anew(tmp_path, tiny_student, said_each_step) -> None:
    job = saved(a_job(tmp_path, tiny_student, epochs=3), save_steps=2)
    interrupted(job, 3)
    patient = job.policy.model_copy(update={"max_loss_rise": None})
    assert first_words(job.model_copy(update={"policy": patient})) == "goes on after step 2 of 6"


def test_a_checkpoint_is_saved_by_time_too(tmp_path, tiny_student, said_each_step) -> None:
    job = saved(a_job(tmp_path, tiny_student, epochs=3), save_seconds=1e-6)
    interrupted(job, 2)
    assert first_words(job) == "goes on after step 1 of 6"


def test_a_disk_that_is_full_in_mid_checkpoint_leaves_the_last_one_and_says_so(
    tmp_path, tiny_student, said_each_step
) -> None:
    job = saved(a_job(tmp_path, tiny_student, epochs=5), save_steps=2)
    interrupted(job, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    weights = (folder_of(job.output) / f"{PREFIX}2" / "model.safetensors").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (weights + 1000, before[1]))  # the optimizer is twice as large
    try:
        with pytest.raises(CheckpointError) as full:
            train(job, progress=lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "the resumable checkpoint of step 4 can't be written: " in str(full.value)
    assert "that of step 2 is whole. Make room and train again" in str(full.value)
    assert first_words(job) == "goes on after step 2 of 10"


def test_two_processes_never_train_one_checkpoint(tmp_path, tiny_student) -> None:
    job, said = a_job(tmp_path, tiny_student), []
    with Resumable.alone(job.output, "some other", waiting=said.append) as first:
        second = threading.Thread(target=train, args=(job, said.append))
        second.start()
        while not said:
            second.join(0.1)
        assert said == ["another process trains checkpoint: waiting for it"]
        second.join(0.5)
        assert second.is_alive() and not job.output.exists()
        first.clear()
    second.join(300)
    assert job.output.exists() and said[1].startswith("step 1 of 2")


@pytest.mark.slow
def test_the_second_of_two_processes_takes_what_the_first_has_trained(tmp_path, tiny_student) -> None:
    job = a_job(tmp_path, tiny_student, epochs=3)
    both = [subprocess.Popen(command(job, job.rows.parent), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=400)[0].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(any(line.startswith("step 6 of 6") for line in lines) for lines in told) == 1
    assert told[0][-1] == told[1][-1] and told[0][-1].startswith("Metrics(rows=8")
