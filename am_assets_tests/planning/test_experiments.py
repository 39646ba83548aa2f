"""`am experiment` in a small project: what it plans, shares, trains and concludes, and that nothing else runs it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.storage.memo import Memo
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.students import write_tiny_student

pytestmark = pytest.mark.slow
ITEMS = [{"question": f"What is {n} plus 11?", "reference_answer": f"{n + 11}"} for n in range(21, 29)]
SIZE = {
    "question": "Do fewer rows do?",
    "base": "plain",
    "variants": {
        "all": None,
        "lenient": {"verification": {"min_reward": 0.1}},  # of a reward that the base does not look at
        "half": {"sampling": {"share": 0.5}},
    },
}
VARIANTS = {f"size--{name}" for name in SIZE["variants"]}


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    models = Models()
    yield models
    models.stop()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    """Recipe `plain` applied, beside the experiment `size` that nobody asked for yet."""
    folder = tmp_path_factory.mktemp("experiments")
    desk = small_project(folder / "project", models, questions=8, shards=1, start_timeout=120)
    desk.rows("held_out", ITEMS)
    student = str(write_tiny_student(folder / "student"))
    sections = {name: section for name, section in TASTE.items() if name != "sampling"}
    evaluation = {**TASTE["evaluation"], "benchmarks": ["held_out"], "samples": 2, "max_tokens": 4}
    default = {name: value for name, value in TASTE["training"].items() if name != "epochs"}
    training = {**default, "student": student, "learning_rate": 0.01}
    desk.recipe("plain", sections | {"training": training, "evaluation": evaluation})
    experiment(desk, "size", SIZE)
    with pytest.MonkeyPatch.context() as patch:
        ran = applied(at_desk(desk.folder, models, patch), "--all")
    assert {*ran.values()} == {"done"}
    assert not {recipe for _, at in ran for recipe in VARIANTS if recipe in at}
    return desk.folder


@pytest.fixture
def desk(made: Path, tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(made, tmp_path / "project")
    return at_desk(tmp_path / "project", models, monkeypatch)


def experiment(desk: Desk, name: str, content: dict) -> None:
    (desk.folder / "experiments").mkdir(exist_ok=True)
    desk.write(f"experiments/{name}.yaml", content)


def steps(desk: Desk, name: str) -> dict[tuple[str, str], str]:
    """The state of each partition that the experiment would make."""
    shown = am(desk, "experiment", name, "--plan", "--json")
    assert shown.exit_code == 0, shown.output
    return {(step["asset"], step["partition"]): step["state"] for step in json.loads(shown.stdout)["steps"]}


def ahead(desk: Desk, name: str) -> dict[str, tuple[int, int, str | None]]:
    """Of each variant its rows, its requests to teachers, and whose student it shares, as the plan has it."""
    told = json.loads(am(desk, "experiment", name, "--plan", "--json").stdout)["foreseen"]
    return {variant: (one["rows"], one["requests"], one["shares"]) for variant, one in told.items()}


def rows(desk: Desk, recipe: str) -> set[str]:
    return {*pl.read_parquet(desk.folder / "assets" / "sft_dataset" / f"{recipe}.parquet")["response_id"]}


def test_an_experiment_shares_what_is_there_trains_what_differs_and_concludes(desk: Desk, models: Models) -> None:
    assert planned(desk, "--all") == planned(desk) == {}
    assert "not carried out yet" in am(desk, "experiment").stdout
    wanted = steps(desk, "size")
    missing = {at for at, state in wanted.items() if state == "missing"}
    assert {("experiment_report", "size"), *(("sft_checkpoint", name) for name in VARIANTS)} <= missing
    assert not {asset for asset, _ in missing} & {"recipe_report", "rl_dataset", "preference_dataset", "raw_pool"}
    assert {*wanted.values()} == {"missing", "follows"}  # where the variants asked a teacher something new

    before = desk.bytes()
    looked_ahead = ahead(desk, "size")
    assert looked_ahead["all"][1:] == looked_ahead["lenient"][1:] == (0, "plain")
    assert looked_ahead["half"][1:] == (0, None)
    assert desk.bytes() == before

    asked, memo = len(models.asked()), Memo(desk.folder / "memo")
    done = am(desk, "experiment", "size", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    ran = {(one["asset"], one["partition"]) for one in told["outcomes"]}
    assert missing <= ran <= {*wanted} and ("sft_checkpoint", "plain") not in ran
    assert {one["result"] for one in told["outcomes"]} == {"done"}
    assert len(models.asked()) == asked  # of teacher, labeller and judge nothing
    assert memo.known("training").collect().height == 2  # plain, all and lenient are one student
    assert rows(desk, "size--half") < rows(desk, "size--all") == rows(desk, "size--lenient") == rows(desk, "plain")

    assert {name: len(rows(desk, f"size--{name}")) for name in SIZE["variants"]} == {
        name: one[0] for name, one in looked_ahead.items()
    }

    report = told["report"]
    assert report["variants"] == ["all", "lenient", "half"]
    assert "lenient and all trained one and the same student, as their rows are the same" in report["conclusion"]
    assert "on held_out, all and half can't be told apart" in report["conclusion"]
    released = {one["variant"]: one["value"] for one in report["rows"] if one["name"] == "released"}
    assert released == {name: len(rows(desk, f"size--{name}")) for name in SIZE["variants"]}
    scored = [one for one in report["rows"] if one["part"] == "score"]
    assert [(one["variant"], one["questions"]) for one in scored] == [("all", 8), ("lenient", 8), ("half", 8)]

    assert steps(desk, "size") == {}
    shown = am(desk, "experiment", "size")
    assert shown.exit_code == 0 and f"{SIZE['question']} {report['conclusion']}" in shown.stdout
    assert report["conclusion"] in json.loads(am(desk, "experiment", "--json").stdout)[0]["conclusion"]

    unwanted = {one["namespace"]: one["unwanted"] for one in json.loads(am(desk, "memo", "--json").stdout)}
    assert unwanted["generations"] == 0  # what students of variants answered is not there to be pruned

    # A variant is a recipe: it can be looked at as one. An edit of it waits until it is asked for.
    assert am(desk, "scores", "-r", "size--all", "-r", "size--half").exit_code == 0
    other = {**SIZE, "variants": {**SIZE["variants"], "half": {"sampling": {"share": 0.25}}}}
    experiment(desk, "size", other)
    assert planned(desk, "--all") == {}
    assert ("sft_checkpoint", "size--half") in (again := steps(desk, "size"))
    assert {state for (_, at), state in again.items() if "size--all" in at} == {"follows"}
    assert am(desk, "experiment", "size").exit_code == 0
    assert rows(desk, "size--half") < rows(desk, "size--all")


def test_a_variant_tells_which_line_decided(desk: Desk) -> None:
    assert applied(desk, "-r", "size--half", "-s", "+selected_questions")
    selected = pl.read_parquet(desk.folder / "assets" / "selected_questions" / "size--half.parquet")
    question = selected.filter(drop_reason="downsampled")["question_id"][0]
    shown = am(desk, "explain", question, "-r", "size--half")
    assert shown.exit_code == 0, shown.output
    assert "sampling.share" in shown.stdout and "experiments/size.yaml: variants.half" in shown.stdout


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({**SIZE, "querstion": "?"}, "size.yaml: querstion: no such field"),
        ({**SIZE, "base": "plan"}, "base: no recipe plan in recipes/ (did you mean plain?); there are plain"),
        ({**SIZE, "variants": {"all": None}}, "size.yaml: variants: "),
        ({**SIZE, "variants": {"a--b": None, "c": None}}, "a variant's name may hold no --"),
        ({**SIZE, "benchmarks": ["mmlu"]}, "variants.all: evaluation.benchmarks: no benchmark mmlu"),
        (
            {**SIZE, "variants": {"all": None, "off": {"verification": {"min_rewrd": 1}}}},
            "size.yaml: variants.off: verification.min_rewrd: no such field",
        ),
        (
            {**SIZE, "variants": {"all": None, "low": {"dedup": {"threshold": 0.5}}}},
            "size.yaml: variants.low: dedup.threshold: 0.5 lies under pairs.floor",
        ),
        (
            {**SIZE, "variants": {"all": None, "x": {"evaluation": {"benchmarks": ["held_out"]}}}},
            "x: all variants are scored on the same",
        ),
        (
            {**SIZE, "variants": {"all": None, "first": {"extends": "plain"}}},
            "variants.first: extends: no such field",
        ),
    ],
)
def test_a_fault_of_an_experiment_is_named_and_stands_in_the_way_of_nothing_else(
    desk: Desk, content: dict, fault: str
) -> None:
    experiment(desk, "size", content)
    for told in (am(desk, "experiment", "size"), am(desk, "experiment", "size", "--plan")):
        assert told.exit_code == 2 and fault in told.output, told.output
    assert fault in json.loads(am(desk, "experiment", "--json").stdout)[0]["fault"]
    assert planned(desk, "--all") == {}


def test_an_unknown_experiment_and_names_that_clash(desk: Desk) -> None:
    told = am(desk, "experiment", "sise")
    assert told.exit_code == 2
    assert "no experiment sise in experiments/ (did you mean size?); there are size" in told.output
    desk.recipe("size--all", yaml.safe_load((desk.folder / "recipes" / "plain.yaml").read_text()))
    told = am(desk, "experiment", "size", "--plan")
    assert told.exit_code == 2 and "variants.all: recipes/size--all.yaml has its name already" in told.output


def test_the_schedule_does_not_take_variants(desk: Desk) -> None:
    from am_assets.automation.schedule import scheduled
    from am_assets.project import load_project

    here = load_project(desk.folder, desk.folder / "sources.yaml")
    assert scheduled(here) == ["plain"]  # the only recipe, beside three variants
