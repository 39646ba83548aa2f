"""A provider that says hostile things of an error, as the terminal of an apply and the log of its run show it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from am_assets_tests.desk import RECIPE, Desk
from am_assets_tests.scripted import Reply, Teacher, refusal

KEY = "hush-4d2f0c9a7b61"
HOSTILE = f"No \x1b[2J\x1b]0;title\x07\u202e entry for {KEY} nor {KEY[:7]}****{KEY[-4:]}\r\n\0" + "and so on " * 2_000
PAGE = f"<!DOCTYPE html><html><head><title>\x1b[31m{KEY}</title></head><body>{'<p>down</p>' * 10_000}".encode()
AS_HTML = {"content-type": "text/html"}
REPLIES = {
    "a wrong key": refusal(401, HOSTILE),
    "a page for a wrong key": Reply(403, PAGE, AS_HTML),
    "too many requests": refusal(429, HOSTILE),
    "a page for an overload": Reply(503, PAGE, AS_HTML),
    "an internal error": refusal(500, HOSTILE),
    "a page as an answer": Reply(200, PAGE, AS_HTML),
    "an answer without content": Reply(body={"choices": [{"message": {}, "finish_reason": HOSTILE}]}),
    "an error as an answer": Reply(body={"error": {"message": HOSTILE}}),
    "an odd status": refusal(418, HOSTILE),
}


@pytest.fixture
def server() -> Iterator[Teacher]:
    teacher = Teacher(lambda question, _: next(reply for fault, reply in REPLIES.items() if fault in question))
    yield teacher
    teacher.stop()


@pytest.mark.parametrize("model", ["openai/scripted", "together_ai/scripted"])  # by our own wire, and through litellm
def test_what_a_provider_says_is_cleaned_wherever_it_is_shown(tmp_path: Path, server: Teacher, model: str) -> None:
    desk = Desk(tmp_path)
    desk.write_project("")
    names = {fault.replace(" ", "-"): fault for fault in REPLIES}  # a shard each: one that fails stops no other
    for name, fault in names.items():
        desk.rows(name, [{"question": f"Answer by {fault}, please."}])
    desk.write("sources.yaml", {name: desk.source(name, 0) for name in names})
    asks = {"labels": {"model": model}, "reward": {"model": model}, "embeddings": {"model": "static"}}
    desk.write("instruments.yaml", asks)
    reach = {"api_base": server.url, "api_key_env": "HUSH", "retries": 0, "patience_seconds": 0.2}
    desk.write("endpoints.yaml", {model: {**reach, "input_price": 0, "output_price": 0}})
    desk.recipe("plain", {**RECIPE, "teacher": {"model": model}})
    home = {"AM_DATA": str(tmp_path), "DAGSTER_HOME": str(tmp_path / "instance"), "HUSH": KEY}
    command = [sys.executable, "-m", "am_assets.cli", "apply", "-r", "plain", "-s", "+question_labels"]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | home)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    with dg.DagsterInstance.from_config(str(tmp_path / "instance")) as instance:
        entries = [entry for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]
    failures = [entry.dagster_event.step_failure_data.error.to_string() for entry in entries if entry.is_dagster_event
                and entry.dagster_event.is_step_failure]  # fmt: skip
    logged = "\n".join([*(entry.user_message for entry in entries), *failures])
    assert len(failures) == len(names)
    for words in (ended.stdout, ended.stderr, logged):
        shown = [part for part in (KEY, KEY[:7], KEY[-4:], "\x1b", "\u202e", "\0") if part in words]
        assert shown == []
    for name in names:
        [told] = [line for line in ended.stderr.splitlines() if line.startswith(f"failed question_labels[{name}]: ")]
        assert len(told) < 1_000
    assert len(ended.stderr) < 10_000, ended.stderr[:20_000]  # a library may warn
