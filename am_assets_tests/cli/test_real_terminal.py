"""`am apply` on a real terminal: its board moves while a step runs, and an interrupt leaves the terminal clean.

The teacher is scripted, as answers have to come while somebody looks.
"""

import json
import re
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets_tests.desk import FREE, MODEL, Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.terminal import Seat

QUESTIONS = 200  # more than are answered before the interrupt
LABEL = json.dumps({"category": "math", "difficulty": "easy"})
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"  # the cursor


def slowly(_: str, __: int) -> Reply:
    reply = answer(LABEL)
    reply.seconds = 0.2
    return reply


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    teacher = Teacher(slowly)
    desk = Desk(tmp_path)
    desk.write_project(teacher.url)
    desk.rows("many", [{"question": f"What is {n} plus {n}?"} for n in range(QUESTIONS)])
    desk.write("sources.yaml", {"many": desk.source("many", 1)})
    endpoint = {"api_base": teacher.url, "concurrency": 2, "api_key_env": "TEST_MODEL_KEY", **FREE}
    desk.write("endpoints.yaml", {MODEL: endpoint})
    yield desk
    teacher.stop()


def seat_of(desk: Desk) -> Seat:
    home = {"AM_DATA": str(desk.folder), "DAGSTER_HOME": str(desk.folder / "instance"), "TEST_MODEL_KEY": "none"}
    command = ["-m", "am_assets.cli", "apply", "-r", "plain", "-s", "raw_pool or question_labels"]
    return Seat([sys.executable, *command], home)


@pytest.mark.slow
def test_the_board_moves_while_a_step_runs_and_an_interrupt_leaves_the_terminal_as_it_was(desk: Desk) -> None:
    seat = seat_of(desk)
    before = termios.tcgetattr(seat.master)
    seat.watch(until=r"labels 1\d of")
    seat.type(b"\x03")
    seat.watch()
    assert seat.process.wait(30) == 130, seat.shown[-2000:]
    rows = [int(done) for done in re.findall(rf"labels (\d+) of {QUESTIONS}", seat.shown)]
    assert len({*rows}) > 2 and rows == sorted(rows)
    frames = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\^C", "", seat.shown[: seat.shown.rindex(SHOW)]).splitlines()
    assert not [line for line in frames if len(line) > 80]
    assert [line for line in frames if "[2/2]" in line and " left" in line]
    logs = [path for end in ("out", "err") for path in (desk.folder / "instance").rglob(f"compute_logs/*.{end}")]
    assert logs and not [log for log in logs if "stage" in log.read_text() or "\x1b" in log.read_text()]

    assert termios.tcgetattr(seat.master) == before
    assert seat.shown.rindex(SHOW) > seat.shown.rindex(HIDE)
    after = seat.shown[seat.shown.rindex(SHOW) :]
    assert "Interrupted. 1 partition was materialized." in after and "\x1b[1A" not in after
    assert "Traceback" not in seat.shown
