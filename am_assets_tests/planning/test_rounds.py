"""A first round of few answers to each question, frozen, and a second of many to what the teacher sometimes solves."""

import json
from collections import Counter
from collections.abc import Iterator

import polars as pl
import pytest

from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import Desk
from am_assets_tests.scripted import Teacher
from am_assets_tests.verification.agreeing import ASKED, EGGS, MILES, RECIPE, SHIPS, WINDOWS, write_project

pytestmark = pytest.mark.slow
SETS = ("-s", "+sft_dataset")
OPEN = len(ASKED) - 4  # questions that no verifier checks


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Teacher]]:
    with pytest.MonkeyPatch.context() as patch:
        desk, servers = write_project(tmp_path_factory.mktemp("rounds") / "project", patch)
        for path in (desk.folder / "recipes").iterdir():
            path.unlink()
        desk.recipe("first", RECIPE | {"teacher": RECIPE["teacher"] | {"samples": 4}})
        second = {"samples": 8}
        desk.recipe("second", {"extends": "first", "teacher": second})
        yield desk, servers["openai/teacher"]
        for server in servers.values():
            server.stop()


@pytest.fixture(scope="module")
def name(at: tuple[Desk, Teacher]) -> str:
    """Of the round, once the first recipe is applied, and before the second is."""
    desk, teacher = at
    refused = am(desk, "freeze", "-r", "first")
    assert refused.exit_code == 2 and "recipe first has verified nothing yet; first am apply" in refused.stderr
    assert {*applied(desk, "-r", "first", *SETS).values()} == {"done"}
    assert len(teacher.bodies) == 4 * len(ASKED)
    kept = json.loads(am(desk, "freeze", "-r", "first", "--json").stdout)
    assert kept | {"name": ""} == {"name": "", "questions": 4, "attempts": 16, "never": 1, "always": 1}
    assert kept["name"] in am(desk, "freeze", "-r", "first").stdout  # the same rows, the same name
    assert len([*(desk.folder / "rounds").iterdir()]) == 1
    return kept["name"]


def asked(teacher: Teacher) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in teacher.bodies)


def explained(desk: Desk, question: str) -> str:
    return am(desk, "explain", question, "-r", "second").stdout


def test_a_round_that_is_not_there_is_refused_before_anything_is_asked(at: tuple[Desk, Teacher], name: str) -> None:
    desk, teacher = at
    before = len(teacher.bodies)
    desk.edit("second", "sampling", pass_rates={"round": "first@000000000000"})
    problem = f"second.yaml: sampling.pass_rates.round: no round first@000000000000 in {desk.folder}/rounds, which has"
    assert f"{problem} {name}; am freeze --recipe first keeps" in am(desk, "plan", "-r", "second").stderr
    refused = am(desk, "apply", "-r", "second", *SETS)
    assert refused.exit_code == 2 and problem in refused.stderr
    assert len(teacher.bodies) == before
    assert am(desk, "plan", "-r", "first", *SETS).stdout.startswith("Nothing to do")  # it is nothing to the others


def test_the_second_round_asks_what_the_teacher_sometimes_solved(at: tuple[Desk, Teacher], name: str) -> None:
    desk, teacher = at
    desk.edit("second", "sampling", pass_rates={"round": name})
    assert {*applied(desk, "-r", "second", *SETS).values()} == {"done"}
    told = asked(teacher)
    assert {told[question] for question in (WINDOWS, EGGS)} == {4}  # always, never
    assert {told[question] for question in (MILES, SHIPS)} == {8}  # the four of the first round are paid already
    assert len(teacher.bodies) == 2 * 4 + (2 + OPEN) * 8
    said = explained(desk, WINDOWS)
    assert "dropped as pass_rate by sampling.pass_rates.most: 0.99 of recipe second (by default)" in said
    assert f"pass_rate 1.0 > 0.99, 4 attempts in {name}" in said
    assert f"pass_rate 0.0 < 0.01, 4 attempts in {name}" in explained(desk, EGGS)
    differ = json.loads(am(desk, "diff", "-r", "first", "-r", "second", "--json").stdout)["questions"]["sides"]
    assert [side["reasons"] for side in differ] == [
        [{"reason": "pass_rate", "rows": 2, "fields": ["sampling.pass_rates"]}],
        [],
    ]
    card = (desk.folder / "assets" / "sft_dataset" / "second" / "README.md").read_text()
    assert "| pass_rate | 2 |" in card and f"round: {name}" in card


def test_a_frozen_round_stays_what_it_was_when_its_recipe_is_applied_anew(at: tuple[Desk, Teacher], name: str) -> None:
    desk, teacher = at
    before = (desk.folder / "rounds" / f"{name}.parquet").read_bytes()
    desk.edit("first", "teacher", samples=8)
    desk.edit("second", "teacher", samples=8)
    assert {*applied(desk, "-r", "first", *SETS).values()} == {"done"}
    now = json.loads(am(desk, "freeze", "-r", "first", "--json").stdout)
    assert now["attempts"] == 4 * 8 and now["name"] != name
    assert (desk.folder / "rounds" / f"{name}.parquet").read_bytes() == before
    assert planned(desk, "-r", "second", *SETS) == {}
    told = len(teacher.bodies)
    seen = json.loads(
        am(desk, "preview", "-r", "second", "--set", "sampling.pass_rates.unmeasured=drop", "--json").stdout
    )
    assert seen["questions"]["lost_because"] == {"pass_rate": OPEN}
    assert len(teacher.bodies) == told


def test_a_round_that_was_written_over_or_cut_short_is_refused(at: tuple[Desk, Teacher], name: str) -> None:
    desk, _ = at
    path = desk.folder / "rounds" / f"{name}.parquet"
    frozen = path.read_bytes()
    desk.edit("second", "sampling", pass_rates={"round": name, "unmeasured": "drop"})
    try:
        pl.read_parquet(path).with_columns(passes=pl.lit(0, pl.UInt32)).write_parquet(path)
        assert "its rows are not those that were frozen under this name" in am(desk, "plan", "-r", "second").stderr
        for content in (frozen[: len(frozen) // 2], b""):
            path.write_bytes(content)
            assert "put back the file that was frozen" in am(desk, "plan", "-r", "second").stderr
    finally:
        path.write_bytes(frozen)
    assert {*applied(desk, "-r", "second", *SETS).values()} == {"done"}
    assert f"fewer than 2 attempts in {name}" in explained(desk, next(iter(ASKED)))
