"""A training over several machines: what its run has begun on the others, and what it does where one is lost."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.ray_head import NO_ROOM
from am_assets.storage import copies
from am_assets.training.resume import Resumable
from am_assets.training.sft import Job

SAVED = {"loss": 1.0}


class Machines:
    """Ray's launcher and client, and Dagster's client of the training's process. What becomes of each attempt stands in
    `attempts`: a machine is lost, the training has a fault of its own, or it is done."""

    def __init__(self, *attempts: str, error_type: str | None = None):
        self.attempts, self.error_type, self.name = list(attempts), error_type, "Ray"
        self.begun, self.stopped, self.said = list[tuple[str, str, str]](), list[str](), list[str]()
        self.commands: list[list[str]] = []
        self.status = "FAILED" if error_type else "RUNNING"
        self.run_launcher = self.client = self.instance = self

    @property
    def context(self) -> Any:
        log = SimpleNamespace(info=self.said.append, warning=self.said.append)
        return SimpleNamespace(instance=self, run=SimpleNamespace(run_id="0123456789"), log=log)

    def begin_beside(self, name: str, run: str, module: str, rank: str, job: str) -> None:
        self.begun.append((name, rank, json.loads(job)["hardware"]["address"]))

    def get_job_status(self, name: str) -> Any:
        return SimpleNamespace(value=self.status)

    def get_job_info(self, name: str) -> Any:
        return SimpleNamespace(error_type=self.error_type, message="its node died")

    def get_job_logs(self, name: str) -> str:
        return "the last line"

    def stop_job(self, name: str) -> None:
        self.stopped.append(name)
        self.status = "RUNNING"

    def run_training(self, command: list[str], **_: Any) -> Any:
        self.commands.append(command)
        if (what := self.attempts.pop(0)) == "done":
            return SimpleNamespace(get_custom_messages=lambda: [SAVED])
        self.status = "FAILED" if what == "lost" else self.status
        raise RuntimeError("Connection closed by peer")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    pytest.importorskip("dagster_ray")
    from am_assets.orchestration import together

    monkeypatch.setenv("AM_GUARDED", "a run")
    monkeypatch.setattr(together, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(together, "NOTICED_SECONDS", 0.1)
    places = {"rows": tmp_path, "student": tmp_path, "output": tmp_path / "student"}
    return Job(
        **places, policy=TrainingPolicy(student="tiny"), identity="it", hardware=Preset(device="cpu", machines=3)
    )


def trained(job: Job, machines: Machines) -> Any:
    from am_assets.orchestration import together

    return together.trained(machines.context, SimpleNamespace(run=machines.run_training), job, {})  # type: ignore[arg-type]


def test_the_others_are_begun_with_one_address_and_again_where_one_is_lost(job: Job) -> None:
    machines = Machines("lost", "done")
    assert trained(job, machines) == SAVED
    assert [rank for _, rank, _ in machines.begun] == ["1", "2"] * 2
    assert sorted(machines.stopped) == sorted(name for name, _, _ in machines.begun)
    first, second = ({at for _, _, at in part} for part in (machines.begun[:2], machines.begun[2:]))
    assert len(first) == len(second) == 1 and first != second
    assert all(command[command.index("--machine_rank") + 1] == "0" for command in machines.commands)
    assert any("its node died; the end of its log:\nthe last line: it begins anew" in line for line in machines.said)


def test_a_training_that_loses_machines_again_and_again_or_has_a_fault_of_its_own_ends(job: Job) -> None:
    with pytest.raises(RuntimeError, match="a machine left the training"):
        trained(job, losing := Machines(*["lost"] * 9))
    assert len(losing.commands) == 3 and len(losing.stopped) == 6
    with pytest.raises(RuntimeError, match="Connection closed by peer"):
        trained(job, faulty := Machines("fault", "done"))
    assert len(faulty.commands) == 1 and len(faulty.stopped) == 2
    with pytest.raises(RuntimeError, match=r"machines: 3, and for 15 minutes not as many had room"):
        trained(job, crowded := Machines(error_type=NO_ROOM))
    assert not crowded.commands and len(crowded.stopped) == 2


class Store(copies.Disk):
    """Has folders as they were published."""

    def __init__(self) -> None:
        self.held: dict[Path, str] = {}

    def keep_folder(self, folder: Path, aside: Path) -> None:
        self.held[folder] = (aside / "trainer_state.json").read_text()

    def folder_here(self, folder: Path) -> None:
        if folder in self.held:
            folder.mkdir(exist_ok=True)
            (folder / "trainer_state.json").write_text(self.held[folder])


@pytest.mark.parametrize(("here", "there"), [(0, 0), (3, 0), (0, 3), (3, 6), (6, 3), (3, 3)])
def test_all_machines_go_on_from_what_has_more_steps_here_or_in_the_store(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: int, there: int
) -> None:
    from am_assets.orchestration.together import Saved

    monkeypatch.setattr("am_assets.training.resume._is_whole", Path.is_dir)
    store, folder = Store(), tmp_path / ".student.saved"
    monkeypatch.setattr(copies, "_mounted", {tmp_path: store})
    if there:
        store.held[folder] = json.dumps({"global_step": there})
    if here:
        (saved := Resumable(job.output).folder / f"checkpoint-{here}").mkdir(parents=True)
        (saved / "trainer_state.json").write_text(json.dumps({"global_step": here}))
    Saved(job).agree(print)
    Resumable(job.output).goes_on_from(None, "it") if there > here else None
    Saved(job).take()  # as another machine, whatever it has
    newest = Resumable(job.output).newest()
    assert (newest.name if newest else None) == (f"checkpoint-{max(here, there)}" if here or there else None)
    assert not folder.exists()
