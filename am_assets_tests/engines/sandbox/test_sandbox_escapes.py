"""Nothing gets out of a sandbox, nothing brings it down, and jobs beside and after it are judged as ever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, Sandbox
from am_assets_tests.engines.sandbox.escapes import ATTEMPTS, BOMBS, program

LIMITS = Code(timeout_seconds=1, memory_mb=256, processes=32, output_kb=64)
RIGHT = Job("def add(a, b): return a + b", "assert add(1, 2) == 3")
WRONG = Job("def add(a, b): return a - b", "assert add(1, 2) == 3")
# What an attempt that succeeds passes, and one that fails does not. An error counts as failed.
SUCCEEDS = "assert attempt()"
# Nothing of an earlier job: no process but those of the sandbox itself, no file.
CLEAN = """
import os
def strangers():
    found = [n for n in os.listdir('/proc') if n.isdigit() and os.stat(f'/proc/{n}').st_uid == os.getuid()]
    files = [f for d in ('/tmp', '/dev/shm', '/dev/mqueue') if os.path.isdir(d) for f in os.listdir(d)]
    own = {str(os.getuid())}
    return len(found) - 1, [f for f in files if not f.isdigit() or f not in own and os.stat(f'/tmp/{f}').st_uid < 65534]
"""


@pytest.fixture(autouse=True)
def survives(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each attempt the same warm sandboxes are there and judge as before."""
    yield
    assert [outcome.status for outcome in sandbox.run_many([RIGHT, WRONG])] == ["pass", "wrong_answer"]
    assert sandbox.run(CLEAN, "assert strangers() == (0, [])").status == "pass"
    assert "died" not in caplog.text


def test_there_are_enough():
    assert len(ATTEMPTS) + len(BOMBS) >= 40


@pytest.mark.parametrize("body", ATTEMPTS.values(), ids=ATTEMPTS)
def test_no_attempt_succeeds(sandbox, body):
    outcome = sandbox.run(program(body), SUCCEEDS)
    assert outcome.status not in ("pass", "sandbox_error", "compile_error", "timeout"), outcome


def test_an_attempt_can_succeed(sandbox):
    """Else the above would show nothing."""
    assert sandbox.run(program("return opens('/dev/null') and others() is not None"), SUCCEEDS).status == "pass"


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_put_out_and_its_neighbours_do_not_notice(sandbox, body):
    with ThreadPoolExecutor(1) as beside:
        bomb = beside.submit(sandbox.run, program(body), SUCCEEDS)
        neighbours = [outcome.status for outcome in sandbox.run_many([RIGHT, WRONG] * 3)]
        outcome = bomb.result()
    assert neighbours == ["pass", "wrong_answer"] * 3
    assert outcome.status not in ("pass", "sandbox_error", "compile_error"), outcome
