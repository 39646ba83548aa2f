"""A data set of the hub is read at the commit that it had at its first read, until the user asks for the newest."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

from am_assets.config.files import ConfigError
from am_assets.datasets import hub as datasets_hub
from am_assets.datasets.locate import SourceError, pin
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.reading_hub import REPO, Hub, serving

POOL = ("--recipe", "plain", "--select", "raw_pool or benchmark_questions")
QUESTIONS = [{"question": "Name a colour."}, {"question": "Name a fish."}]
FILE = "data/train-*.jsonl"
LISTED = {"location": f"hf://datasets/{REPO}/{FILE}", "revision": None, "adapter": "jsonl", "rank": 1}
DONE = {("raw_pool", "far"): "done"}


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(monkeypatch, tmp_path_factory.mktemp("cache")) as hub:
        yield hub


@pytest.fixture
def desk(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project that uses one data set of the hub by name."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)  # type: ignore[arg-type]
    desk.write("catalog.yaml", {"far": LISTED})
    desk.write("sources.yaml", {"use": ["far"]})
    desk.write("benchmarks.yaml", {})
    desk.recipe(
        "plain", {"teacher": {"model": "openai/smollm2"}, "training": {"student": "embedded/smollm2-135m-instruct"}}
    )
    (desk.folder / "recipes" / "other.yaml").unlink()
    hub.push({"data/train-0.jsonl": QUESTIONS[:1], "data/test-0.jsonl": QUESTIONS})
    return desk


def questions(desk: Desk) -> list[str]:
    return sorted(pl.read_parquet(desk.folder / "assets" / "raw_pool" / "far.parquet")["question"])


def recorded(desk: Desk) -> dict[str, str]:
    return yaml.safe_load((desk.folder / "revisions.yaml").read_text())


def test_the_first_read_records_the_commit_and_a_later_one_changes_no_row(desk: Desk, hub: Hub) -> None:
    [first] = hub.commits
    assert applied(desk, *POOL) == DONE
    assert recorded(desk) == {REPO: first}
    assert planned(desk, *POOL) == {}
    hub.push({"data/train-0.jsonl": QUESTIONS})
    desk.write("sources.yaml", {"use": ["far"], "far": {"max_faults": 0.5}})
    assert applied(desk, *POOL) == DONE
    assert questions(desk) == ["Name a colour."]
    assert recorded(desk) == {REPO: first}


def test_without_its_line_the_newest_is_read_and_the_plan_says_so(desk: Desk, hub: Hub) -> None:
    assert applied(desk, *POOL) == DONE
    first, newest = *hub.commits, hub.push({"data/train-0.jsonl": QUESTIONS})
    (desk.folder / "revisions.yaml").unlink()
    because = f"recorded commit of source far in sources.yaml changed from {first} to unset"
    assert planned(desk, *POOL) == {("raw_pool", "far"): ("stale", because)}
    assert applied(desk, *POOL) == DONE
    assert questions(desk) == ["Name a colour.", "Name a fish."]
    assert recorded(desk) == {REPO: newest}
    assert planned(desk, *POOL) == {}


def test_another_source_of_that_data_set_is_read_at_the_same_commit(desk: Desk, hub: Hub) -> None:
    assert applied(desk, *POOL) == DONE
    hub.push({"data/train-0.jsonl": QUESTIONS, "data/test-0.jsonl": QUESTIONS[1:]})
    tests = {"location": f"hf://datasets/{REPO}/data/test-0.jsonl", "adapter": "jsonl", "rank": 2}
    desk.write("sources.yaml", {"use": ["far"], "tests": tests})
    assert applied(desk, *POOL) == {("raw_pool", "tests"): "done"}
    assert len(pl.read_parquet(desk.folder / "assets" / "raw_pool" / "tests.parquet")) == 2


def test_a_revision_that_is_named_is_read_and_not_recorded(desk: Desk, hub: Hub) -> None:
    [first] = hub.commits
    hub.push({"data/train-0.jsonl": QUESTIONS})
    desk.write("catalog.yaml", {"far": LISTED | {"revision": first}})
    assert applied(desk, *POOL) == DONE
    assert questions(desk) == ["Name a colour."]
    assert not (desk.folder / "revisions.yaml").exists()


def test_reading_without_a_source_records_nothing(desk: Desk) -> None:
    assert json.loads(am(desk, "read", "far", "--json").stdout)["shapes"][0]["rows"] == 1
    assert not (desk.folder / "revisions.yaml").exists()


def test_a_hub_out_of_reach_is_told_before_anything_is_spent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    plan = am(desk, "plan", "--json", *POOL)
    [problem] = json.loads(plan.stdout)["problems"]
    assert f"sources.yaml: far: location: hf://datasets/{REPO}/{FILE} can't be had from the hub" in problem
    assert "download the file and give its path" in problem
    assert am(desk, "apply", *POOL).exit_code == 2
    assert not (desk.folder / "revisions.yaml").exists()
    desk.rows("mine", QUESTIONS)
    desk.write("sources.yaml", {"use": ["far"], "far": {"location": "pool/mine.jsonl"}})
    assert applied(desk, *POOL) == DONE


def test_what_is_in_the_cache_of_the_hub_can_be_read_for_the_first_time_without_it(
    desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants, hf_hub_download

    hf_hub_download(REPO, "data/train-0.jsonl", repo_type="dataset")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    pin(f"hf://datasets/{REPO}/data/train-0.jsonl", desk.folder)
    assert recorded(desk) == {REPO: next(iter(hub.commits))}
    with pytest.raises(SourceError, match="can't be fetched from the Hugging Face hub"):
        pin("hf://datasets/owner/other/a.jsonl", desk.folder)


def test_first_reads_at_the_same_time_are_all_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets_hub, "commit_of", lambda repo, file: repo.removeprefix("owner/set-") * 8)
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda number: pin(f"hf://datasets/owner/set-{number % 20}/a.jsonl", tmp_path), range(60)))
    assert yaml.safe_load((tmp_path / "revisions.yaml").read_text()) == {
        f"owner/set-{number}": str(number) * 8 for number in range(20)
    }


def test_the_file_is_the_users_too_and_what_is_no_commit_is_named(desk: Desk) -> None:
    (desk.folder / "revisions.yaml").write_text("# Ours, since the review.\na/b: abc\n")
    assert applied(desk, *POOL) == DONE
    assert (desk.folder / "revisions.yaml").read_text().startswith("# Ours, since the review.\na/b: abc\nowner/set: ")
    (desk.folder / "revisions.yaml").write_text("owner/set: {revision: abc}\n")
    with pytest.raises(ConfigError, match=r"revisions\.yaml: owner/set: expected a commit"):
        pin(f"hf://datasets/{REPO}/{FILE}", desk.folder)
