"""What `exclude.txt` lists is taken out of a project, nothing else changes, and `am purge` leaves no text of it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.config.files import ConfigError
from am_assets.datasets.exclusions import FILE, load_exclusions
from am_assets.datasets.identity import question_id
from am_assets.datasets.sources import Source
from am_assets.planning.purge import refuse_unready
from am_assets.storage.texts import held, holding
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.scripted import Reply, answer
from am_assets_tests.students import write_tiny_student

JAR = "A jar of asked0 holds {} beans and gets {} beans. How many?"
ASKED = [JAR.format(n, n * n) for n in range(4)]


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    models = Models()
    models.servers["openai/teacher"].script = _taught
    yield models
    models.stop()


def _taught(question: str, _: int) -> Reply:
    said = next(n for n, text in enumerate(ASKED) if text in question)
    return answer(f"<think>Jar number {said} is counted.</think> <answer>\\boxed{{{said + said**2}}}</answer>")


@pytest.fixture(scope="module")
def whole(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was applied whole before anything was excluded."""
    folder = tmp_path_factory.mktemp("whole")
    desk = small_project(folder / "project", models, questions=1, shards=1, start_timeout=120)
    rows = [{"question": text, "reference_answer": str(n + n * n)} for n, text in enumerate(ASKED)]
    desk.rows("asked0", rows)
    training = {**TASTE["training"], "student": str(write_tiny_student(folder / "student"))}
    desk.recipe("plain", {**TASTE, "training": training, "evaluation": {**TASTE["evaluation"], "benchmarks": []}})
    with pytest.MonkeyPatch.context() as patch:
        at_desk(desk.folder, models, patch)
        assert {*applied(desk, "--all").values()} == {"done"}
    return desk.folder


@pytest.fixture
def desk(whole: Path, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return at_desk(tmp_path, models, monkeypatch)


def exclude(desk: Desk, *lines: str) -> None:
    (desk.folder / FILE).write_text("# taken down\n\n" + "\n".join(lines) + "\n")


def table(desk: Desk, name: str) -> pl.DataFrame:
    paths = sorted((desk.folder / "assets" / name).glob("*.parquet"))
    return pl.concat([pl.read_parquet(path) for path in paths])


def requests(models: Models) -> int:
    return sum(map(len, models.asked().values()))


def apply_unasked(desk: Desk, models: Models) -> None:
    before = requests(models)
    assert {*applied(desk, "--all").values()} == {"done"}
    assert requests(models) == before
    assert planned(desk, "--all") == {}


def fates(desk: Desk, name: str, by: str) -> dict[str, str]:
    return dict(table(desk, name).drop_nulls("drop_reason").select(by, "drop_reason").iter_rows())


def response_of(desk: Desk, text: str) -> str:
    return table(desk, "responses").filter(pl.col("response").str.contains(text, literal=True))["response_id"].item()


@pytest.mark.slow
def test_an_excluded_question_goes_and_no_other(desk: Desk, models: Models) -> None:
    before = {name: table(desk, name) for name in ("raw_pool", "question_labels", "responses", "sft_dataset")}
    exclude(desk, question_id(ASKED[1]))
    apply_unasked(desk, models)
    asked = question_id(ASKED[1])
    for name, rows in before.items():
        now = table(desk, name)
        assert now.filter(pl.col("question_id") != asked).equals(rows.filter(pl.col("question_id") != asked)), name
        assert rows.filter(question_id=asked).height == 1
        assert now.filter(question_id=asked).height == (name == "raw_pool")
    row = table(desk, "raw_pool").row(by_predicate=pl.col("question_id") == asked, named=True)
    assert row["defect"] == "excluded" and row["question"] == "" and row["reference_answer"] is None
    assert fates(desk, "deduped_set", "question_id") == {asked: "excluded"}
    without = table(desk, "raw_pool")
    for text in (ASKED[1].upper(), "holds 1 BEANS"):
        exclude(desk, text)
        assert applied(desk, "-r", "plain", "-s", "raw_pool")["raw_pool", "asked0"] == "done"
        assert table(desk, "raw_pool").equals(without)
    (desk.folder / FILE).unlink()
    apply_unasked(desk, models)  # it is back, for nothing
    assert all(table(desk, name).equals(rows) for name, rows in before.items())


@pytest.mark.slow
@pytest.mark.parametrize(("by", "text"), [("id", "Jar number 2 is counted"), ("text", "Multiply by two")])
def test_an_excluded_response_keeps_its_row_without_a_text(by: str, text: str, desk: Desk, models: Models) -> None:
    before, removed = table(desk, "responses"), response_of(desk, text)
    exclude(desk, removed if by == "id" else text.upper())
    apply_unasked(desk, models)
    now = table(desk, "responses")
    empty = now.filter(finish_reason="excluded")
    same = before.filter(pl.col("response_id") != removed)
    assert now.filter(pl.col("finish_reason") != "excluded").sort("response_id").equals(same.sort("response_id"))
    assert empty["response"].to_list() == [""] and empty["response_id"].item() != removed
    assert fates(desk, "verified_set", "response_id")[empty["response_id"].item()] == "excluded"
    assert not held(table(desk, "raw_pool"), [text]).any()
    assert table(desk, "deduped_set")["kept"].all()


@pytest.mark.slow
def test_purging_leaves_no_text_and_nothing_to_do(desk: Desk, models: Models) -> None:
    exclude(desk, question_id(ASKED[1]), "Jar number 2 is counted", response_of(desk, "Multiply by two"))
    refused = am(desk, "purge", "--yes")
    assert refused.exit_code == 2 and "am apply --all" in refused.stderr
    apply_unasked(desk, models)
    sought = [ASKED[1], "Jar number 1 is counted", "Jar number 2 is counted", "Multiply by two"]
    folders = [desk.folder / name for name in ("assets", "memo", "graphs", "instance")]
    assert holding(folders, sought)
    left = {at.name: at for at in (desk.folder / "memo").iterdir()}
    rows = {name: {*_keys(at)} for name, at in left.items()}
    done = am(desk, "purge", "--yes", "--json")
    assert done.exit_code == 0, done.stdout
    found = json.loads(done.stdout)
    assert holding(folders, sought) == [] and found["held"] == []
    gone = {name: len(keys - {*_keys(left[name])}) for name, keys in rows.items()}
    assert {name: count for name, count in gone.items() if count} == found["removed"]
    assert found["removed"] == {"labels": 1, "embeddings": 1, "responses": 1, "math": 2, "code": 1, "rewards": 3}
    assert found["emptied"] == 1 and found["unknown"] == 0
    apply_nothing(desk, models)
    (desk.folder / FILE).unlink()
    before = requests(models)
    assert {*applied(desk, "--all").values()} == {"done"}
    assert requests(models) == before + 4  # the question is labelled and taught again, and two answers judged
    responses = table(desk, "responses")
    assert responses.filter(finish_reason="excluded").height == 1  # of the teacher, which is not asked twice
    assert responses.filter(pl.col("response").str.contains("Multiply by two")).height == 1


@pytest.mark.parametrize(
    ("asset", "partition", "state", "waits"),
    [
        ("recipe_report", "plain", "missing", False),
        ("recipe_report", "plain", "stale", True),
        ("responses", "own", "follows", False),  # of a recipe that was never applied, as a stale one is told itself
        ("raw_pool", "own", "missing", True),  # which says what the excluded rows were
    ],
)
def test_purging_waits_for_tables_that_may_hold_a_row(asset: str, partition: str, state: str, waits: bool) -> None:
    plan = SimpleNamespace(steps=lambda: [SimpleNamespace(asset=asset, partition=partition, state=state)])
    here = SimpleNamespace(exclusions=True, sources={"own": Source(location="own.jsonl", rank=1)})
    with pytest.raises(ConfigError, match="am apply --all") if waits else nullcontext():
        refuse_unready(plan, here)  # type: ignore[arg-type]


def _keys(folder: Path) -> list[str]:
    return [key for path in folder.glob("*.parquet") for key in pl.read_parquet(path)["key"]]


def apply_nothing(desk: Desk, models: Models) -> None:
    before = requests(models)
    assert planned(desk, "--all") == {}
    assert applied(desk, "--all") == {}
    assert requests(models) == before


def test_a_text_that_is_too_short_is_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("# names\n\nAnn Example\nAnn\n")
    with pytest.raises(ConfigError, match=r"exclude.txt, line 4: .*fewer than 8") as refused:
        load_exclusions(tmp_path)
    assert "Ann" not in str(refused.value)


def test_lines_are_ids_or_texts_and_their_order_is_of_no_matter(tmp_path: Path) -> None:
    assert not load_exclusions(tmp_path) and load_exclusions(tmp_path).version == ""
    lines = ["  # a comment", "", "Ann Example", "AB" * 16, "ab" * 15 + "xy"]
    versions = set()
    for order in (lines, lines[::-1]):
        (tmp_path / FILE).write_text("\n".join(order))
        found = load_exclusions(tmp_path)
        versions.add(found.version)
    assert found.ids == {"ab" * 16} and found.texts == ("Ann Example", "ab" * 15 + "xy")
    assert len(versions) == 1 and "Ann" not in repr(found)
