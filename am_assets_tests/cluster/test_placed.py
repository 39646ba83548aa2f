"""Servers of models that a cluster places. Processes of this machine stand in for Ray's jobs, and a script for vllm."""

import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.config.cluster import Cluster, load_cluster
from am_assets.engines.llm import ask
from am_assets.engines.serving import ServerError, lease, placing_of, release_all, server_of, unservable
from am_assets.engines.serving.placed import own_folder
from am_assets.engines.serving.placing import Placing
from am_assets.storage.shared.database import open_database
from am_assets_tests.engines.serving.playing import MODEL, Standin, endpoint, on_path, until
from am_assets_tests.scripted import requests
from am_assets_tests.services import ROOT

pytestmark = pytest.mark.slow
NOBODY = "http://127.0.0.1:1"


class Jobs:
    """Ray's client: each job is a process."""

    def __init__(self, home: Path):
        self.home = home
        self.begun: dict[str, subprocess.Popen] = {}
        self.idle, self.room, self.turns = 60.0, 9, count()

    def submit_job(self, submission_id: str, entrypoint: str, runtime_env: dict, **takes: object) -> None:
        env = os.environ | runtime_env["env_vars"] | {"TMPDIR": str(self.home), "PYTHONPATH": str(ROOT)}
        if next(self.turns) >= self.room:
            return  # it waits
        python, *_, name, job = shlex.split(entrypoint.removeprefix("exec "))
        idle = f"from am_assets.engines.serving import placed; placed.IDLE_SECONDS = {self.idle}"
        command = [python, "-c", f"{idle}; placed.main({name!r}, {job!r})"]
        with (self.home / submission_id).open("w") as out:
            self.begun[submission_id] = subprocess.Popen(command, env=env, stdout=out, stderr=out)

    def get_job_info(self, name: str) -> SimpleNamespace:
        ended = name in self.begun and self.begun[name].poll() is not None
        return SimpleNamespace(status=SimpleNamespace(is_terminal=lambda: ended), error_type=None, message="it ended")

    def get_job_logs(self, name: str) -> str:
        return (self.home / name).read_text()

    def stop_job(self, name: str) -> None:
        if name in self.begun:
            self.begun[name].terminate()

    def left(self) -> list[str]:
        return [name for name, process in self.begun.items() if process.poll() is None]

    def kill(self, name: str) -> None:
        self.begun[name].kill()
        self.begun[name].wait()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    for name, value in on_path(tmp_path).items():
        monkeypatch.setenv(name, value)
    here = Jobs(tmp_path)
    monkeypatch.setattr(Placing, "client", here)
    monkeypatch.setattr("am_assets.engines.serving.placing.silence", lambda _: None)
    yield here
    release_all()
    for process in here.begun.values():
        process.terminate()
    for process in here.begun.values():
        process.wait()


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Standin]:
    here = Standin(tmp_path)
    here.says()
    yield here
    assert until(lambda: not here.left()), here.left()


@pytest.fixture
def places(jobs: Jobs, tmp_path: Path, address: str) -> Placing:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "cluster.yaml"
    file.write_text(f"launcher: {{ray: '{NOBODY}', resources: {{gpu: {{cpu: 4, a100: 1}}}}}}")
    cluster = load_cluster(file)
    found = placing_of(cluster, open_database(cluster, tmp_path / "data" / "memo"), tmp_path / "data")
    assert found
    return found


def test_replicas_are_asked_by_one_list_and_what_a_lost_machine_had_in_flight_is_asked_elsewhere(
    standin: Standin, jobs: Jobs, places: Placing
) -> None:
    standin.says(seconds=0.1)
    one = endpoint(replicas=2, concurrency=2)
    struck: list[str] = []

    def strike() -> None:
        until(lambda: len({line["pid"] for line in standin.lines("asked")}) == 2, 60)
        struck.append(next(iter(jobs.begun)))
        jobs.kill(struck[0])

    acting = threading.Thread(target=strike)
    acting.start()
    questions = [f"question {number}" for number in range(200)]
    got = pl.concat(ask(requests(*questions), MODEL, [one], database=places.database, places=places))
    acting.join()
    assert sorted(got["key"]) == sorted(questions)
    asked = pl.DataFrame(standin.lines("asked"))
    assert asked.height - asked["question"].n_unique() <= 2  # what was in flight there
    assert asked["pid"].n_unique() >= 2 and struck
    known = server_of(MODEL, one, 0), server_of(MODEL, one, 1)
    release_all()
    again = [places.lease(server).address() for server in known]  # as another process finds them
    assert len({address.url for address in again}) == 2 and len(jobs.left()) == 2
    assert not any(address.key in " ".join(start["argv"]) for address in again for start in standin.lines("starts"))


def test_what_there_is_room_for_answers_alone(standin: Standin, jobs: Jobs, places: Placing) -> None:
    jobs.room = 1
    got = pl.concat(ask(requests(*"abcdef"), MODEL, [endpoint(replicas=3, concurrency=2)], places=places))
    assert got.height == 6 and len(standin.lines("starts")) == 1


def test_a_server_ends_with_its_last_user_and_with_its_own_process(
    standin: Standin, jobs: Jobs, places: Placing
) -> None:
    here = lease(server_of(MODEL, endpoint(gpus=0)), places)
    before = here.address()
    (job,) = jobs.left()
    assert lease(server_of(MODEL, endpoint(gpus=0)), places).address() == before  # and not another
    jobs.kill(job)
    assert here.address().key != before.key
    assert len(standin.left()) == 2, "the server is not killed with its keeper, or a worker of it is left"
    (second,) = jobs.left()
    with places.database.cursor() as cursor:
        cursor.execute("update am_assets.servers set job = 'another'")
    assert until(lambda: not jobs.left()), "the one that was replaced goes on"
    assert "another was placed instead" in jobs.get_job_logs(second)
    with places.database.cursor() as cursor:
        cursor.execute("delete from am_assets.servers")
    jobs.idle = 2.0
    assert here.address().url
    assert until(lambda: not jobs.left() and not standin.left()), "it outlived its last user"
    with places.database.cursor() as cursor:
        cursor.execute("select from am_assets.servers")
        assert not cursor.rowcount


def test_a_keeper_removes_what_a_killed_one_left_and_no_folder_of_one_that_begins_or_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def waits() -> bool:
        with own_folder("one") as after:
            return after.is_dir()

    with ThreadPoolExecutor() as threads:
        with own_folder("one") as one:
            left = one.with_name("placed-left")
            left.mkdir()
            waiting = threads.submit(waits)
            with own_folder("two") as two:
                assert until(lambda: not left.exists())
                assert one.is_dir() and two.is_dir()
            assert not until(waiting.done, 0.5), "two keepers in one folder"
        assert waiting.result(30), "its folder was removed by the keeper that it waited for"


def test_a_server_that_does_not_start_is_told_with_its_machine_and_what_to_change(
    standin: Standin, jobs: Jobs, places: Placing
) -> None:
    standin.says(log="torch.OutOfMemoryError: CUDA out of memory")
    here = lease(server_of(MODEL, endpoint()), places)
    with pytest.raises(ServerError, match=r"^on \S+: some/model: .*memory ran out.*\n.*OutOfMemoryError"):
        here.address()
    standin.says()
    assert here.address().url and len(jobs.begun) == 2


def test_what_a_server_takes_and_what_is_refused_before(places: Placing) -> None:
    assert places.takes(server_of(MODEL, endpoint(gpus=2))) == {"cpu": 4, "a100": 1, "gpu": 2}
    assert places.takes(server_of(MODEL, endpoint())) == {"cpu": 1}
    assert [*unservable(MODEL, endpoint(gpus=8), placed=True)] == []  # of whatever machine
    (fault,) = unservable(MODEL, endpoint("sglang"), placed=True)
    assert "API key on the command line" in fault
    with pytest.raises(ServerError, match="API key on the command line"):
        places.lease(server_of(MODEL, endpoint("sglang"))).address()
    assert placing_of(None, None, places.data) is None and placing_of(Cluster(), places.database, places.data) is None
