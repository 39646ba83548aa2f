"""`am push` against a hub of this machine: what it changes there, what it refuses, and going on after a kill."""

import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import Result

from am_assets.config.files import ConfigError
from am_assets.planning.push import repository
from am_assets_tests.commands import am
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.hub import READ, WRITE, Hub
from am_assets_tests.services import environment, until

NAME = "lab/sums"
TARGET = f"hf://datasets/{NAME}"
PUSH = ("push", "-r", "plain", TARGET)
STORED = "hf_of_a_person_0123456789"  # what `hf auth login` left


@pytest.fixture
def desk(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy of the finished project, with a release in more files than it has, and a token to push it with."""
    shutil.copytree(finished, tmp_path / "project")
    desk = at_desk(tmp_path / "project", None, monkeypatch)  # type: ignore[arg-type]  # no model is asked
    for number in range(4):
        shard(desk, number).parent.mkdir(exist_ok=True)
        shard(desk, number).write_bytes(f"rows {number} ".encode() * 300)
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text(STORED)
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", WRITE)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(home / "token"))
    return desk


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    yield hub
    hub.stop()


def shard(desk: Desk, number: int) -> Path:
    return release(desk) / "data" / f"more-{number}.parquet"


def release(desk: Desk) -> Path:
    return desk.folder / "assets" / "sft_dataset" / "plain"


def files(desk: Desk) -> dict[str, bytes]:
    found = [path for path in release(desk).rglob("*") if path.is_file()]
    return {path.relative_to(release(desk)).as_posix(): path.read_bytes() for path in found}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pushed(desk: Desk, *more: str) -> dict:
    told = am(desk, *PUSH, "--yes", "--json", *more)
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def at_hub(hub: Hub, revision: str = "main") -> dict[str, bytes]:
    """The files of a branch, but for those that a release does not hold."""
    return {path: text for path, text in hub.repos[NAME].files(revision).items() if not path.startswith(".")}


def refused(told: Result, code: int, says: str) -> None:
    assert (told.exit_code, says in told.output.replace("\n", " ")) == (code, True), told.output
    assert WRITE not in told.output and READ not in told.output and STORED not in told.output


def holding(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_first_push_makes_the_repository_and_one_commit_that_is_tagged_and_a_second_has_nothing_to_do(
    desk: Desk, hub: Hub, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    told = am(desk, *PUSH, "--yes")
    assert told.exit_code == 0, told.output
    assert "+ data/more-0.parquet  2,100 bytes" in told.stdout
    assert f"{hub.url}/datasets/{NAME}, branch main: new, and public unless" in told.stdout
    repo = hub.repos[NAME]
    assert at_hub(hub) == files(desk)
    assert (repo.private, len(repo.messages)) == (False, 2)
    assert repo.messages[1].startswith("plain: content version ")
    version = repo.messages[1].split()[-1]
    with desk.instance() as instance:
        record = instance.get_latest_data_version_record(dg.AssetKey("sft_dataset"), False, "plain")
        assert record.asset_materialization.tags["dagster/data_version"] == version
    assert repo.tags == {f"content-{version[:12]}": repo.branches["main"]}
    asked = len(hub.asked)
    again = am(desk, *PUSH)
    assert (again.exit_code, "Nothing to do" in again.stdout) == (0, True), again.output
    assert all(line.startswith(("GET", "HEAD")) for line in hub.asked[asked:])
    assert pushed(desk)["pushed"] is False
    assert WRITE not in told.output + again.output + "".join(capfd.readouterr())
    assert not holding(tmp_path, WRITE)


def test_a_changed_release_sends_what_changed_and_removes_what_is_gone_and_nothing_of_the_user(
    desk: Desk, hub: Hub
) -> None:
    (release(desk) / "NOTES.md").write_text("ours")
    pushed(desk)
    repo = hub.repos[NAME]
    theirs = {"LICENSE": b"theirs", "scripts/load.py": b"theirs", "data/.keep": b"", ".gitignore": b"data\n"}
    repo.add("main", {**repo.files(), **theirs, "data/stray.parquet": b"of nobody"}, "by hand")
    hub.received.clear()
    shard(desk, 1).write_bytes(b"other rows")
    shard(desk, 2).unlink()
    (release(desk) / "NOTES.md").unlink()
    told = pushed(desk)
    assert (told["added"], told["changed"]) == ([], [".am-release.json", "data/more-1.parquet"])
    assert told["removed"] == ["NOTES.md", "data/more-2.parquet", "data/stray.parquet"]
    assert hub.received == [sha256(shard(desk, 1))]
    wanted = files(desk) | {path: text for path, text in theirs.items() if not path.startswith(".")}
    assert at_hub(hub) == wanted
    assert repo.files()[".gitignore"] == b"data\n"
    assert len(repo.messages) == 4
    assert list(repo.tags.values()) == [next(iter(repo.tags.values()))]  # the rows are those of the first push


def test_killed_half_way_it_goes_on_and_sends_nothing_twice(desk: Desk, hub: Hub) -> None:
    hub.stall_after = 2
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", *PUSH, "--yes"]
    process = subprocess.Popen(command, env=environment(desk.folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: hub.stalled, "an upload in the middle of the files", seconds=60)
    process.send_signal(signal.SIGKILL)
    output = process.communicate()[0].decode()
    first = list(hub.received)
    assert len(first) == 2, output
    assert list(hub.repos[NAME].files()) == [".gitattributes"]  # readers see nothing of it
    assert hub.repos[NAME].tags == {}
    hub.stall_after = None
    hub.go_on.set()
    told = pushed(desk)
    assert told["pushed"] is True
    assert at_hub(hub) == files(desk)
    assert sorted(hub.received) == sorted({*hub.received})
    assert len(hub.received) == sum(path.endswith(".parquet") for path in files(desk))
    assert hub.received[:2] == first
    assert len(hub.repos[NAME].messages) == 2
    assert WRITE not in output


def test_large_files_may_come_in_parts_and_killed_between_commit_and_tag_it_makes_the_tag(desk: Desk, hub: Hub) -> None:
    hub.multipart = True
    pushed(desk)
    repo = hub.repos[NAME]
    assert at_hub(hub) == files(desk)
    assert any(line.endswith("/2") for line in hub.asked if line.startswith("PUT"))
    repo.tags.clear()
    assert pushed(desk)["pushed"] is True
    assert list(repo.tags.values()) == [repo.branches["main"]]
    assert len(repo.messages) == 2


def test_a_private_repository_is_made_and_a_public_one_is_not_taken_for_one(desk: Desk, hub: Hub) -> None:
    pushed(desk, "--private")
    assert hub.repos[NAME].private
    hub.repos[NAME].private = False
    shard(desk, 0).unlink()
    asked = len(hub.asked)
    refused(am(desk, *PUSH, "--yes", "--private"), 2, "is there already, and public")
    assert all(line.startswith(("GET", "HEAD")) for line in hub.asked[asked:])


def test_a_branch_is_made_from_main_and_only_it_moves(desk: Desk, hub: Hub) -> None:
    pushed(desk)
    before = at_hub(hub)
    shard(desk, 0).write_bytes(b"tried out")
    told = pushed(desk, "--revision", "draft")
    assert told["changed"] == ["data/more-0.parquet"]
    assert at_hub(hub) == before
    assert at_hub(hub, "draft") == files(desk)
    refused(am(desk, *PUSH, "--yes", "--revision", told["tag"]), 2, "that is a tag")


def test_a_branch_that_moved_meanwhile_is_left_alone(desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(desk)
    shard(desk, 0).write_bytes(b"newer")
    repo, batch = hub.repos[NAME], hub.batch

    def meanwhile(name: str, asked: dict):
        repo.add("main", {**repo.files(), "LICENSE": b"just now"}, "by hand")
        return batch(name, asked)

    monkeypatch.setattr(hub, "batch", meanwhile)
    refused(am(desk, *PUSH, "--yes"), 1, "moved meanwhile and nothing was committed")
    assert repo.messages[-1] == "by hand"


def test_a_release_made_anew_during_the_upload_is_not_committed(
    desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = hub.batch

    def meanwhile(name: str, asked: dict):
        if not release(desk).with_name("older").exists():
            release(desk).rename(release(desk).with_name("older"))
            shutil.copytree(release(desk).with_name("older"), release(desk))
        return batch(name, asked)

    monkeypatch.setattr(hub, "batch", meanwhile)
    refused(am(desk, *PUSH, "--yes"), 2, "was made anew meanwhile")
    assert len(hub.repos[NAME].messages) == 1


def test_without_a_token_in_the_environment_the_stored_one_is_not_taken(
    desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    refused(am(desk, *PUSH, "--yes"), 2, "HF_TOKEN is not set")
    refused(am(desk, "push", "-r", "plain", "hf://datasets/lab", "--yes"), 2, "write it as hf://datasets/OWNER/NAME")
    assert hub.asked == []


@pytest.mark.parametrize(
    ("token", "says"),
    [("hf_wrong_0123456789abcdef", "does not accept it"), (READ, "set one with write access")],
)
def test_a_token_that_is_wrong_or_may_not_write_is_named_by_its_variable_and_never_shown(
    desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str, says: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.words = "<b>\x1b[31mcome in</b>"
    told = am(desk, *PUSH, "--yes")
    refused(told, 1, f"HF_TOKEN: {'it may not do this' if token == READ else hub.url}")
    assert says in told.output and token not in told.output and "\x1b[31m" not in told.output
    assert hub.repos == {}


@pytest.mark.parametrize("page", [b"<html>Welcome to this network</html>", b"[1, 2", b"{}", b"[]"])
def test_what_is_no_hub_is_told(desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch, page: bytes) -> None:
    monkeypatch.setattr(hub, "reply", lambda *_: (200, page, {}))
    told = am(desk, *PUSH, "--yes")
    refused(told, 1, f"{hub.url} does not answer as a hub does: look at HF_ENDPOINT")
    assert "Traceback" not in told.output


def test_what_the_hub_says_of_a_card_is_quoted_and_no_signed_address_is_shown(
    desk: Desk, hub: Hub, capfd: pytest.CaptureFixture
) -> None:
    (release(desk) / "README.md").write_text("---\n[\n---\n")
    hub.words = f"\x1b[31mno card of {WRITE}"
    told = am(desk, *PUSH, "--yes")
    refused(told, 1, "no card of ***")
    assert "\x1b[31m" not in told.output + "".join(capfd.readouterr())
    assert len(hub.repos[NAME].messages) == 1


@pytest.mark.parametrize(
    ("address", "branch", "says"),
    [
        ("lab/sums", "main", "write it as hf://datasets/OWNER/NAME"),
        ("hf://datasets/lab", "main", "write it as hf://datasets/OWNER/NAME"),
        ("hf://datasets/lab/sums@draft", "main", "a branch goes into --revision"),
        ("hf://datasets/-lab/sums", "main", "-lab/sums: owner: "),
        ("hf://datasets//sums", "main", "owner: "),
        ("hf://datasets/lab/su..ms", "main", "name: "),
        (TARGET, "refs/pr/1", "--revision refs/pr/1: name a branch"),
        (TARGET, "0123456789abcdef", "--revision 0123456789abcdef: name a branch"),
        (TARGET, "a..b", "--revision a..b: name a branch"),
    ],
)
def test_a_malformed_address_is_named_by_its_part(
    monkeypatch: pytest.MonkeyPatch, address: str, branch: str, says: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", WRITE)
    with pytest.raises(ConfigError) as refused:
        repository(address, branch)
    assert says in str(refused.value)
    assert repository("hf://datasets/my-lab.org/sums_2.0/", "v1/draft").name == "my-lab.org/sums_2.0"


def test_what_is_out_of_date_or_was_never_made_is_refused_with_what_an_apply_would_do(desk: Desk, hub: Hub) -> None:
    desk.edit("plain", "verification", min_reward=0.25)
    refused(am(desk, *PUSH, "--yes"), 2, "sft_dataset[plain]: verification.min_reward of recipe plain changed from")
    desk.recipe("third", {"extends": "plain"})
    refused(am(desk, "push", "-r", "third", TARGET, "--yes"), 2, "recipe third has no dataset yet; make it first")
    assert hub.asked == []


def test_what_never_met_its_blocking_checks_or_failed_one_is_refused(desk: Desk, hub: Hub) -> None:
    dataset = dg.AssetKey("sft_dataset")
    with desk.instance() as instance:
        made = instance.get_latest_data_version_record(dataset, False, "plain")
        instance.report_runless_asset_event(made.asset_materialization)
    refused(am(desk, *PUSH, "--yes"), 2, "no_contamination, not_empty did not run on this version")
    with desk.instance() as instance:
        for check, passed in {"no_contamination": False, "not_empty": True}.items():
            evaluation = dg.AssetCheckEvaluation(dataset, check, passed=passed, metadata={}, partition="plain")
            instance.report_runless_asset_event(evaluation)
    refused(am(desk, *PUSH, "--yes"), 2, "its dataset failed the blocking checks no_contamination:")
    assert hub.asked == []


def test_without_a_terminal_and_a_yes_it_shows_what_would_change_and_changes_nothing(desk: Desk, hub: Hub) -> None:
    told = am(desk, *PUSH)
    refused(told, 2, "nothing was pushed: confirm it at a terminal, or beforehand by --yes")
    assert "+ README.md" in told.stdout
    assert hub.repos == {}


@pytest.mark.parametrize(("said", "code", "there"), [("n", 1, []), ("y", 0, [NAME])])
def test_at_a_terminal_it_asks(desk: Desk, hub: Hub, said: str, code: int, there: list[str]) -> None:
    mine, its = pty.openpty()
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", *PUSH]
    process = subprocess.Popen(command, env=environment(desk.folder), stdin=its, stdout=its, stderr=its)
    os.close(its)
    shown = ""
    while "Push this? [y/N]" not in shown:
        shown += os.read(mine, 1000).decode()
    os.write(mine, f"{said}\n".encode())
    while process.poll() is None:
        try:
            shown += os.read(mine, 1000).decode()
        except OSError:
            process.wait()
    os.close(mine)
    assert (process.returncode, list(hub.repos)) == (code, there), shown
    assert WRITE not in shown
