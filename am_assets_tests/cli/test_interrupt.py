"""SIGTERM on a real apply, as ctrl-C: it ends cleanly, loses no answer, and the next goes on from there.

The teacher is scripted, since the moment of the interrupt has to lie between its answers.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg

from am_assets.planning.spending import spending
from am_assets.storage.memo import Memo
from am_assets_tests.desk import FREE, MODEL, Desk
from am_assets_tests.scripted import Reply, Teacher, answer

QUESTIONS = 30
AT_ONCE = 2
LABEL = json.dumps({"category": "math", "difficulty": "easy"})


def slowly(_: str, __: int) -> Reply:
    reply = answer(LABEL)
    reply.seconds = 0.1
    return reply


def apply(desk: Desk) -> subprocess.Popen:
    home = {"AM_DATA": str(desk.folder), "DAGSTER_HOME": str(desk.folder / "instance"), "TEST_MODEL_KEY": "none"}
    kept = {name: value for name, value in os.environ.items() if name != "AM_SOURCES"}
    am = [sys.executable, "-W", "ignore", "-m", "am_assets.cli"]
    command = [*am, "apply", "-r", "plain", "-s", "raw_pool or question_labels"]
    return subprocess.Popen(command, env=kept | home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_an_interrupted_apply_leaves_no_open_run_and_the_next_asks_only_what_is_left(tmp_path: Path) -> None:
    teacher = Teacher(slowly)
    desk = Desk(tmp_path)
    desk.write_project(teacher.url)
    desk.rows("many", [{"question": f"What is {n} plus {n}?"} for n in range(QUESTIONS)])
    desk.write("sources.yaml", {"many": desk.source("many", 1)})
    endpoint = {"api_base": teacher.url, "concurrency": AT_ONCE, "api_key_env": "TEST_MODEL_KEY", **FREE}
    desk.write("endpoints.yaml", {MODEL: endpoint})

    first = apply(desk)
    while len(teacher.asked) < QUESTIONS // 2 and first.poll() is None:
        time.sleep(0.01)
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 130, said
    assert "Interrupted. 1 partition was materialized." in said
    assert "question_labels[many] was under way" in said
    with dg.DagsterInstance.from_config(str(desk.folder / "instance")) as instance:
        ends = [run.status for run in instance.get_runs()]
        assert ends == [dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.SUCCESS]

    second = apply(desk)
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert Counter(Counter(teacher.asked).values()) == {1: QUESTIONS}  # what was in flight was waited for
    spent = spending(Memo(desk.folder / "memo"), ["recipe", "namespace"])
    assert spent.select("recipe", "namespace", "requests").rows() == [("plain", "labels", QUESTIONS)]
    teacher.stop()
