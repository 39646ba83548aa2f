"""Limits of a provider: between the requests of one stream, between streams, and between processes."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ask, limits
from am_assets.engines.llm.limits import HEAD, LocalState, Share, StateUnreachable
from am_assets_tests.scripted import Reply, Teacher, answer, requests


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def collect(server: Teacher, count: int, **settings: object) -> pl.DataFrame:
    reach = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", **settings)
    return pl.concat(ask(requests(*(str(number) for number in range(count))), "openai/scripted", [reach]))


@pytest.mark.alone
def test_requests_are_spaced_to_the_limit_of_a_minute(teacher) -> None:
    server = teacher(lambda question, _: answer(question))
    collect(server, 40, requests_per_minute=1200, concurrency=40)  # 20 a second, one second's worth ahead
    seconds = [at - server.times[0] for at in server.times]
    assert max(sum(start <= at < start + 1 for at in seconds) for start in seconds) <= 42
    assert seconds[-1] >= (40 - 21) / 20 - 0.1


@pytest.mark.alone
def test_tokens_are_spaced_to_the_limit_of_a_minute(teacher) -> None:
    server = teacher(lambda question, _: answer(question))  # 8 tokens each
    started = time.monotonic()
    collect(server, 30, tokens_per_minute=4800, concurrency=1)  # 80 a second: ten requests
    assert 1.5 <= time.monotonic() - started <= 6


@pytest.mark.slow
def test_two_processes_together_keep_to_the_slots_of_the_provider(teacher, tmp_path: Path) -> None:
    server = teacher(lambda question, _: Reply(body=answer(question).body, seconds=0.03))
    script = (
        "import sys; from am_assets.engines.llm import Endpoint, ask; from am_assets_tests.scripted import requests\n"
        "import aiohttp, litellm; print(flush=True); sys.stdin.readline()\n"  # both start when both are ready
        f"e = Endpoint(api_base={server.url!r}, api_key_env='TEST_TEACHER_KEY', concurrency=4)\n"
        "names = [sys.argv[1] + str(number) for number in range(60)]\n"
        "print(sum(frame.height for frame in ask(requests(*names), 'openai/scripted', [e])))"
    )
    environment = {"TMPDIR": str(tmp_path), "TEST_TEACHER_KEY": "x" * 8, "PYTHONPATH": "."}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [
        subprocess.Popen([sys.executable, "-c", script, name], **pipes, text=True, env=environment) for name in "ab"
    ]
    assert [process.stdout.readline() for process in both] == ["\n", "\n"]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0].strip() for process in both] == ["60", "60"]
    assert server.most_open == 4
    first_of_both = max(server.asked.index("a0"), server.asked.index("b0"))
    between = server.asked[first_of_both : first_of_both + 40]
    assert 12 <= sum(name.startswith("a") for name in between) <= 28  # neither starves the other


def share(slots: int = 4, requests_per_minute: int | None = None, tokens_per_minute: int | None = None) -> Share:
    return Share(LocalState("provider"), slots, requests_per_minute, tokens_per_minute)


def take_all(of: Share, at_most: int = 10) -> int:
    taken = 0
    while taken < at_most and of.acquire(1) == 0.0:
        taken += 1
    return taken


def test_a_stream_alone_may_take_every_slot_and_no_more() -> None:
    alone = share(slots=4)
    assert take_all(alone) == 4
    alone.release()
    assert take_all(alone) == 1


def test_a_stream_that_comes_later_gets_its_fair_part_as_slots_come_free() -> None:
    first, second = share(slots=4), share(slots=4)
    assert take_all(first) == 4
    assert take_all(second) == 0
    first.release()
    assert take_all(first) == 0  # it has its fair part and another waits
    assert take_all(second) == 1
    first.release()
    assert (take_all(first), take_all(second)) == (0, 1)
    assert (first.held, second.held) == (2, 2)


def test_streams_take_turns_where_there_are_fewer_slots_than_streams() -> None:
    first, second = share(slots=1), share(slots=1)
    assert (take_all(first), take_all(second)) == (1, 0)
    for has, waits in [(first, second), (second, first), (first, second)]:
        has.release()
        assert (take_all(has), take_all(waits)) == (0, 1)


def test_a_stream_that_looks_for_a_slot_no_more_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_SECONDS", 0.1)
    first, paused = share(slots=1), share(slots=1)
    assert (take_all(first), take_all(paused)) == (1, 0)
    first.release()
    time.sleep(0.15)
    paused.heartbeat()  # it lives, but its endpoint is left alone for a while
    assert take_all(first) == 1


def test_slots_taken_while_a_stream_waits_for_the_lock_count() -> None:
    first, second = share(slots=4), share(slots=4)
    waited: list[float] = []
    waits = threading.Thread(target=lambda: waited.append(second.acquire(1)))
    with first.state:
        waits.start()
        time.sleep(0.1)
        first.held = 4
        first._record(time.monotonic(), waits=0.0)
    waits.join()
    assert waited == [limits.POLL_SECONDS]


def test_slots_of_a_stream_that_died_come_back_after_its_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SILENCE_SECONDS", 0.2)
    dead, living = share(slots=4), share(slots=4)
    assert take_all(dead) == 4
    assert take_all(living) == 0
    time.sleep(0.25)
    assert take_all(living) == 4


def test_slots_of_a_process_that_was_killed_come_back_at_once() -> None:
    script = (
        "import sys, time; from am_assets.engines.llm.limits import LocalState, Share\n"
        "held = Share(LocalState('provider'), 4, None, None)\n"
        "print([held.acquire(1) for _ in range(4)], flush=True); time.sleep(60)"
    )
    environment = os.environ | {"TMPDIR": tempfile.gettempdir(), "PYTHONPATH": "."}
    held = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert held.stdout is not None
    assert held.stdout.readline().strip() == "[0.0, 0.0, 0.0, 0.0]"
    living = share(slots=4)
    assert take_all(living) == 0
    held.kill()
    held.wait()
    assert take_all(living) == 4


def test_slots_of_a_stream_that_ended_come_back_at_once() -> None:
    ended, other = share(slots=4), share(slots=4)
    assert take_all(ended) == 4
    ended.close()
    assert take_all(other) == 4


def test_tokens_that_were_not_used_are_given_back() -> None:
    frugal = share(slots=100, tokens_per_minute=60)  # one a second
    assert frugal.acquire(30) == 0.0
    assert frugal.acquire(1) > 20
    frugal.release(-29)
    assert frugal.acquire(1) == 0.0


def test_a_state_from_another_clock_stalls_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_AHEAD_SECONDS", 0.4)
    monkeypatch.setattr(limits, "BURST_SECONDS", 0.1)
    stale = share(requests_per_minute=60)
    with stale.state:
        HEAD.pack_into(stale.state.data, 0, time.monotonic() + 1e9, 0.0)
    wait = stale.acquire(1)
    assert wait == pytest.approx(0.3)
    time.sleep(wait + 0.01)
    assert stale.acquire(1) == 0.0


def test_more_streams_than_places_still_work() -> None:
    many = [share(slots=100) for _ in range(limits.MAX_STREAMS + 3)]
    assert all(one.acquire(1) == 0.0 for one in many)


class Cut(LocalState):
    """A state that is cut off while it stores what was changed, as often as `cut` says."""

    cut = 0

    def __enter__(self) -> None:
        super().__enter__()
        self.before = self.data[:]

    def __exit__(self, *how: object) -> None:
        failed, self.cut = self.cut > 0, max(0, self.cut - 1)
        if failed:
            self.data[:] = self.before
        super().__exit__(*how)
        if failed:
            raise StateUnreachable("cut off")


def test_what_could_not_be_stored_was_not_granted_and_is_told_later() -> None:
    state = Cut("provider")
    share, other = Share(state, 2, None, 60), Share(LocalState("provider"), 2, None, 60)
    state.cut = 1
    assert share.acquire(1) > 0 and share.held == 0
    assert share.acquire(1) == 0.0
    state.cut = 1
    share.release(more_tokens=10)  # seconds of the limit
    share.heartbeat()
    assert share.held == 0 and other.acquire(1) > 5


def test_a_slot_whose_request_another_follows_is_told_with_that() -> None:
    share, other = (Share(LocalState("provider"), 2, None, None) for _ in range(2))
    assert share.acquire(1) == share.acquire(1) == 0.0
    share.release(follows=True)
    assert other.acquire(1) > 0  # not told yet
    assert share.acquire(1) > 0  # the other waits, and has less than its part
    assert other.acquire(1) == 0.0
