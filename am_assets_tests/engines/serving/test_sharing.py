"""One server for all who need it on a machine, whoever is killed. A stand-in plays vllm: see `standin.py`."""

import os
import signal
import subprocess
import sys
import threading

import polars as pl
import pytest

from am_assets.engines.llm import ANSWER, LlmError, ask
from am_assets.engines.serving import lease, release_all, server_of
from am_assets_tests.engines.serving.playing import MODEL, Standin, endpoint, running, until
from am_assets_tests.scripted import requests

USER = f"""
import sys
from am_assets.config.endpoints import Endpoint
from am_assets.engines.serving import lease, server_of
here = lease(server_of({MODEL!r}, Endpoint.model_validate({{"serve": {{"engine": "vllm"}}}})))
print(*here.address(), flush=True)
sys.stdin.read()
"""


def user() -> subprocess.Popen:
    """A process that needs the server until its input ends."""
    return subprocess.Popen([sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_share_a_server_which_ends_with_the_last_of_them(standin: Standin):
    first, second = user(), user()
    assert first.stdout and second.stdout and second.stdin
    assert first.stdout.readline() == second.stdout.readline() != ""
    assert len(standin.lines("starts")) == 1
    first.kill()
    first.wait()
    assert not until(lambda: not standin.left(), seconds=1)
    second.stdin.close()
    assert until(lambda: not standin.left()), "the server outlived its last user"
    second.wait()


def test_nothing_is_left_when_the_only_user_is_killed_while_the_server_still_loads(standin: Standin):
    standin.says(loads=60)
    only = user()
    assert until(lambda: bool(standin.lines("starts")))
    only.kill()
    only.wait()
    assert until(lambda: not standin.left())


def test_a_keeper_that_is_killed_takes_the_server_along_and_the_next_call_starts_another(standin: Standin):
    here = lease(server_of(MODEL, endpoint()))
    before = here.address()
    os.kill(here._state()["keeper"], signal.SIGKILL)
    assert until(lambda: not running(standin.lines("starts")[0]["pid"]))
    assert here.address().key != before.key
    assert until(lambda: not running(standin.lines("starts")[0]["worker"])), "a worker of the old server is left"


def test_the_lease_of_a_dead_process_does_not_count(standin: Standin):
    here = lease(server_of(MODEL, endpoint()))
    here.address()
    (here.folder / "leases" / "1-dead.lease").write_text("")
    here.release()
    assert until(lambda: not standin.left())


def test_a_server_that_nobody_asks_is_ended_and_started_again_when_it_is(standin: Standin):
    here = lease(server_of(MODEL, endpoint()))
    here.address()
    os.utime(here.path, (0, 0))  # as if it was last asked long ago
    assert until(lambda: not standin.left())
    here.address()
    assert len(standin.lines("starts")) == 2


def test_a_lease_that_was_released_counts_again_once_it_asks(standin: Standin):
    here = lease(server_of(MODEL, endpoint()))
    here.address()
    release_all()
    assert until(lambda: not standin.left())
    here.address()
    assert not until(lambda: not standin.left(), seconds=1), "it asked, and its server was ended"
    here.release()


def test_models_with_other_limits_or_weights_have_servers_of_their_own(standin: Standin):
    assert server_of(MODEL, endpoint()).id == server_of(MODEL, endpoint(concurrency=8)).id  # vllm finds its own
    assert server_of(MODEL, endpoint()).id != server_of("hosted_vllm/other/model", endpoint()).id
    assert server_of(MODEL, endpoint()).id != server_of(MODEL, endpoint(arguments={"max-model-len": 64})).id


def answers(asked: pl.DataFrame, serve, during=lambda: None) -> pl.DataFrame:
    acting = threading.Thread(target=during)
    acting.start()
    try:
        return pl.concat([pl.DataFrame(schema=ANSWER), *ask(asked, MODEL, [serve])])
    finally:
        acting.join()


def asked_twice(standin: Standin) -> int:
    questions = pl.Series([line["question"] for line in standin.lines("asked")])
    return questions.len() - questions.n_unique()


@pytest.mark.parametrize("victim", ["server", "keeper"])
def test_a_stream_goes_on_when_the_server_or_its_keeper_is_killed(standin: Standin, victim: str):
    standin.says(seconds=0.1)
    questions = [f"question {number}" for number in range(40)]

    def strike() -> None:
        until(lambda: len(standin.lines("answered")) >= 10)
        state = lease(server_of(MODEL, endpoint()))._state()
        os.kill(state[victim], signal.SIGKILL)

    got = answers(requests(*questions), endpoint(), strike)
    assert sorted(got["key"]) == sorted(questions)
    assert asked_twice(standin) <= 4  # what was in flight
    assert len(standin.lines("starts")) == 2


def test_replicas_share_the_requests(standin: Standin):
    standin.says(seconds=0.1)
    got = answers(requests(*map(str, range(24))), endpoint(replicas=2, concurrency=2))
    assert got.height == 24
    by_server = pl.DataFrame(standin.lines("asked"))["pid"].value_counts()["count"].to_list()
    assert len(by_server) == 2 and min(by_server) >= 8


def test_a_server_that_does_not_come_up_again_stops_the_stream_with_its_reason(standin: Standin):
    standin.says(seconds=0.1)

    def strike() -> None:
        until(lambda: len(standin.lines("answered")) >= 4)
        standin.says(log="CUDA error: no CUDA GPUs are available")
        standin.kill()

    with pytest.raises(LlmError, match="the GPU that it wants is not there") as stopped:
        answers(requests(*map(str, range(40))), endpoint(), strike)
    assert "of 40 requests answered" in str(stopped.value)
