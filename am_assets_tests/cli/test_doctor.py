"""`am doctor`: what is there, what is missing and how it is had; no secrets, no waiting."""

import json
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from am_assets.cli import app
from am_assets.planning import machine

LEAST = "own: {location: rows.jsonl, rank: 1}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, on a machine without container engine, hub and GPU: what would be waited for answers at once."""
    monkeypatch.setenv("AM_DATA", str(tmp_path))
    monkeypatch.delenv("AM_SOURCES", raising=False)
    monkeypatch.setattr(machine, "_container", lambda: "1.0, with the sandbox's image")
    monkeypatch.setattr(machine, "_bubblewrap", lambda: "/usr/bin/bwrap")
    monkeypatch.setattr(machine, "_reached", lambda address: address)
    monkeypatch.setattr(machine, "_gpus", lambda: None)
    (tmp_path / "sources.yaml").write_text(LEAST)
    return tmp_path


def told(code: int = 0) -> dict:
    ran = CliRunner().invoke(app, ["doctor", "--json"])
    assert ran.exit_code == code, ran.output
    return json.loads(ran.output)


def finding(name: str, found: dict) -> dict:
    return next(one for one in found["findings"] if one["name"] == name)


def test_it_says_what_is_there_and_what_would_run_where() -> None:
    found = told()
    assert finding("cores", found)["found"].isdigit() and "GB" in finding("memory", found)["found"]
    assert found["would_run"] == {
        "programs": "container engine (what its image has)",
        "training": "preset cpu: cpu, 1 of each machine, ddp",
        "model embedded/smollm2-135m-instruct": "on this machine, by llama",
    }


def test_keys_are_told_by_name_and_never_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-hidden")
    ran = CliRunner().invoke(app, ["doctor"])
    assert "SOME_API_KEY" in ran.output and "hidden" not in ran.output


def test_a_key_that_the_project_needs_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "endpoints.yaml").write_text("openai/x: {api_base: 'http://h:1/v1', api_key_env: MY_KEY}\n")
    (folder / "instruments.yaml").write_text("labels: {model: openai/x}\n")
    assert "MY_KEY" in finding("key", told(1))["found"]
    monkeypatch.setenv("MY_KEY", "x")
    assert told()["would_run"]["model openai/x"] == "at http://h:1/v1"


@pytest.mark.parametrize(
    ("manager", "command"), [("apt-get", "apt-get install -y docker.io"), ("dnf", "dnf install -y moby-engine")]
)
def test_what_is_missing_comes_with_the_command_of_this_machine(
    manager: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == manager else None)

    def none() -> str:
        raise OSError("no such file")

    monkeypatch.setattr(machine, "_container", none)
    found = told()
    assert finding("container engine", found)["remedy"].startswith(command)
    assert found["would_run"]["programs"] == "bubblewrap (Python)"
    monkeypatch.setattr(machine, "_bubblewrap", none)
    assert "unverifiable" in told(1)["would_run"]["programs"]  # neither: code is never verified


def test_what_does_not_answer_is_waited_for_no_longer_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SECONDS", 0.1)
    monkeypatch.setattr(machine, "_reached", lambda address: time.sleep(30))
    began = time.monotonic()
    assert finding("hub", told())["found"] == "can't be reached: no answer within 0.1 s"
    assert time.monotonic() - began < 20


def test_a_project_that_is_not_there_or_broken_is_said(folder: Path) -> None:
    (folder / "sources.yaml").unlink()
    assert "am init" in finding("project", told())["remedy"]
    (folder / "sources.yaml").write_text("own: {locaton: x}\n")
    assert "locaton" in finding("project", told(1))["found"]
