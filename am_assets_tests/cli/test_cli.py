"""The command `am` on wrong input: it ends before anything is done, and says what to mend."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from am_assets.storage.memo import Memo, with_keys
from am_assets_tests.desk import MODEL, Desk
from am_assets_tests.scripted import Teacher, answer


@pytest.fixture
def project(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    return desk


def am(desk: Desk, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    home = {"AM_DATA": str(desk.folder), "DAGSTER_HOME": str(desk.folder / "instance"), "COLUMNS": "200"}
    kept = {name: value for name, value in os.environ.items() if name != "AM_SOURCES"}
    return subprocess.run(
        [sys.executable, "-m", "am_assets.cli", *arguments],
        capture_output=True,
        text=True,
        env=kept | home | environment,
    )


def test_a_plan_of_a_new_project_lists_what_is_missing_and_does_nothing(project: Desk) -> None:
    planned = am(project, "plan", "--recipe", "plain", "--select", "raw_pool or dedup_policy")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert planned.stdout.startswith("5 to make, 0 stale, 0 requests, $0\n")
    assert "because it was never materialized:\n  dedup_policy, raw_pool (4)" in planned.stdout
    told = am(project, "plan", "--recipe", "plain", "--select", "raw_pool or dedup_policy", "-v")
    assert "5 partitions" in told.stdout and "sums, tasks, open, asked" in told.stdout
    assert not (project.folder / "assets").exists()


def test_a_plan_is_the_same_text_every_time_though_several_things_changed(project: Desk) -> None:
    labeler = Teacher(lambda *_: answer('{"category": "math", "difficulty": "easy"}'))
    project.write("endpoints.yaml", {MODEL: {"api_base": labeler.url, "input_price": 0}})
    made = am(project, "apply", "-r", "plain", "-s", "+deduped_set", OPENAI_API_KEY="none")
    assert made.returncode == 0, made.stdout
    labeler.stop()
    project.edit("plain", "dedup", threshold=0.9)
    for name in ("sums", "open"):
        project.rows(name, [{"question": "How long is the longest river of all?"}])
    half = "raw_pool or question_features or question_embeddings or dedup_policy"
    assert am(project, "apply", "-r", "plain", "-s", half).returncode == 0
    first, *others = [am(project, "plan", "-r", "plain", PYTHONHASHSEED=seed, COLUMNS="600") for seed in "012"]
    assert first.returncode == 0, first.stderr
    assert "question_features[open, sums] changed; what source open reads changed" in first.stdout
    assert {told.stdout for told in others} == {first.stdout}


def test_a_difference_of_recipes_that_have_selected_nothing_says_what_to_do_first(project: Desk) -> None:
    refused = am(project, "diff", "-r", "plain", "-r", "other")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "recipe plain has selected nothing yet; materialize first: am apply --recipe plain" in refused.stderr


def _file_at(folder: Path) -> None:
    folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")


@pytest.mark.parametrize(
    ("wrong", "arguments", "says"),
    [
        (lambda desk: desk.edit("plain", "dedup", threshold=0.5), [], "dedup.threshold: 0.5 lies under pairs.floor"),
        (
            lambda desk: desk.edit("plain", "sampling", decontamination={"reworded": 0.5}),
            [],
            "decontamination.reworded: 0.5 lies under overlap.floor",
        ),
        (
            lambda desk: desk.edit("plain", "sampling", decontamination={"confirmed": "both"}),
            [],
            "but overlap.confirm of instruments.yaml asks nobody",
        ),
        (
            lambda desk: desk.edit("plain", "verification", split="judge"),
            [],
            "verification.split: judge, but math.opinion of instruments.yaml asks nobody",
        ),
        (lambda desk: desk.edit("other", "dedup", treshold=0.9), [], "other.yaml: dedup.treshold: no such field"),
        (lambda desk: desk.edit("plain", "evaluation", benchmarks=["none"]), [], "no benchmark none in benchmarks"),
        (lambda desk: desk.write("sources.yaml", {"a": {"adapter": "jsonl", "rank": 1}}), [], "sources.yaml: a"),
        (lambda desk: desk.write("instruments.yaml", {"labels": {"model": 3}}), [], "instruments.yaml: labels.model:"),
        (lambda desk: desk.write("endpoints.yaml", {"m": {"concurrency": 0}}), [], "endpoints.yaml: m: concurrency"),
        (lambda desk: desk.write("endpoints.yaml", {"p/a": {"concurrency": 2}, "p/b": {"concurrency": 3}}), [],
         "name the same ones in both"),
        (lambda desk: _file_at(desk.folder / "instance"), ["--all"], "instance: File exists: name another folder"),
        (lambda desk: None, ["--recipe", "nobody"], "no recipe nobody"),
        (lambda desk: None, ["--all", "--select", "no_such_asset"], "--select no_such_asset"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_field(project: Desk, wrong, arguments: list[str], says: str) -> None:
    wrong(project)
    refused = am(project, "apply", *arguments)
    assert refused.returncode == 2
    assert says in refused.stderr.replace("\n", " ")
    assert not (project.folder / "assets").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("dedup.treshold=0.9", "--set dedup.treshold=0.9: dedup.treshold: no such field"),
        ("dedup.threshold=0.9", "not there yet: deduped_set[plain], selected_questions[plain]; materialize first: am"),
    ],
)
def test_a_preview_that_cannot_be_names_the_option_and_the_field(project: Desk, change: str, says: str) -> None:
    refused = am(project, "preview", "--recipe", "plain", "--set", change)
    assert refused.returncode == 2, refused.stderr
    assert says in refused.stderr.replace("\n", " ")
    assert not (project.folder / "assets").exists()


def test_a_sources_file_elsewhere_is_named_by_the_environment(project: Desk, tmp_path: Path) -> None:
    refused = am(project, "plan", AM_SOURCES=str(tmp_path / "elsewhere.yaml"))
    assert refused.returncode == 2
    assert "elsewhere.yaml: no such file" in refused.stderr.replace("\n", "")


def test_a_failed_partition_is_named_and_the_command_fails(project: Desk) -> None:
    (project.folder / "pool" / "open.jsonl").write_bytes(b'{"question": "caf\xe9"}\n')
    failed = am(project, "apply", "--recipe", "plain", "--select", "raw_pool")
    assert failed.returncode == 1
    assert "failed raw_pool[open]" in failed.stderr
    assert "open.jsonl:1" in failed.stderr
    assert (project.folder / "assets" / "raw_pool" / "sums.parquet").exists()


def test_what_an_answer_says_does_not_act_on_the_terminal(project: Desk) -> None:
    hostile = "\x1b]0;owned\x07\x9b2J\u202e"

    def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        yield missing.select("key", text=pl.lit(f"two\nlines {hostile}"))

    wanted = with_keys(pl.DataFrame({"asked": ["a"]}), "asked")
    schema = pl.Schema({"key": pl.String, "text": pl.String})
    Memo(project.folder / "memo").fill("responses", wanted, measure, schema)
    key = wanted["key"][0]
    for arguments in ([key], []):
        told = am(project, "memo", "responses", *arguments)
        assert told.returncode == 0 and not {*hostile} & {*told.stdout} - {*"]0;owned2J"}
        assert "\\x1b]0;owned\\x07\\x9b2J\\u202e" in told.stdout
    assert json.loads(am(project, "memo", "responses", key, "--json").stdout)[0]["text"].endswith(hostile)
