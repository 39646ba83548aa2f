"""Answers that agree, from the files of a project to its releases: what is measured, and what recipes make of it."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.datasets.identity import question_id
from am_assets.storage.memo import Memo
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.desk import Desk
from am_assets_tests.verification.agreeing import (
    BRIDGE,
    EGGS,
    GULLS,
    KITES,
    LAMP,
    MILES,
    ORCHARD,
    SHIPS,
    WINDOWS,
    verified,
    write_project,
)

pytestmark = pytest.mark.slow
SETS = "+sft_dataset or +rl_dataset"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        desk, servers = write_project(tmp_path_factory.mktemp("agreeing") / "project", patch)
        assert {*applied(desk, "--all", "-s", SETS).values()} == {"done"}
        assert len(servers["openai/teacher"].bodies) == 9 * 8
        yield desk
        assert len(servers["openai/teacher"].bodies) == 9 * 8  # of whatever the tests edited
        for server in servers.values():
            server.stop()


def fates(desk: Desk, recipe: str, question: str) -> dict[str, int]:
    """How many of the answers to a question ended in which way: drop reason and the field that decided."""
    rows = verified(desk, recipe, question)
    told = rows.select(pl.when("kept").then(pl.lit("kept")).otherwise(pl.format("{} {}", "drop_reason", "decided_by")))
    return dict(Counter(told.to_series()))


def test_answers_are_in_one_class_where_mathematics_finds_their_results_equal(desk: Desk) -> None:
    from am_assets.datasets.identity import question_id

    table = pl.read_parquet(desk.folder / "assets" / "answer_consensus" / "asked.parquet")

    def classes(question: str) -> dict[str | None, tuple[int, int, bool]]:
        rows = table.filter(question_id=question_id(question))
        return {named: (size, answers, leads) for named, size, answers, leads in
                rows.select("equal_to", "agreeing", "answers", "leading").unique().iter_rows()}  # fmt: skip

    assert classes(LAMP) == {"0.5": (7, 8, True), "2": (1, 8, False)}
    assert classes(ORCHARD) == {"3": (4, 8, False), "4": (4, 8, False)}
    assert classes(GULLS) == {None: (0, 8, False)}
    assert classes(BRIDGE) == {"30": (6, 8, True), None: (0, 8, False)}
    assert classes(EGGS) == {"42": (8, 8, True)}
    assert {row[1] for row in classes(KITES).values()} == {8} and len(classes(KITES)) == 8
    owners = Memo(desk.folder / "memo").owners("math")  # so that `am purge` finds what was compared
    compared = table.filter(question_id=question_id(LAMP), agreeing=7)["response_id"]
    assert {*compared} <= {*owners["response_id"]}


SHARE = "unverifiable verification.min_share"
AGAINST = "against_consensus verification.accept"


@pytest.mark.parametrize(
    ("recipe", "question", "ends"),
    [
        ("agreed", LAMP, {"kept": 7, AGAINST: 1}),
        ("agreed", BRIDGE, {"kept": 6, "unverifiable verification.accept": 2}),  # two state no result
        ("agreed", ORCHARD, {SHARE: 8}),
        ("agreed", KITES, {SHARE: 8}),
        ("agreed", GULLS, {SHARE: 8}),
        ("agreed", WINDOWS, {"kept": 8}),
        ("agreed", SHIPS, {"kept": 3, "wrong_answer verification.accept": 5}),  # a reference weighs more
        ("plain", LAMP, {"kept": 8}),  # by the judge, as ever
    ],
)
def test_a_recipe_accepts_by_consensus_where_no_verifier_can_tell(
    desk: Desk, recipe: str, question: str, ends: dict[str, int]
) -> None:
    assert fates(desk, recipe, question) == ends


def test_the_evidence_of_such_a_row_is_the_consensus_and_its_detail_says_of_how_many(desk: Desk) -> None:
    rows = verified(desk, "agreed", LAMP)
    assert {*rows["evidence"]} == {"consensus"} and {*rows["second_verdict"]} == {"pass"}
    assert rows.filter(~pl.col("kept"))["detail"].to_list() == ["2 where 7 of 8 answers agree on 0.5"]
    told = {question: {*verified(desk, "agreed", question)["detail"]} for question in (ORCHARD, GULLS)}
    assert told == {
        ORCHARD: {"consensus: no result leads: 4 of 8 answers agree on each of several"},
        GULLS: {"consensus: no answer states a result that can be compared"},
    }


WRONG = "wrong_answer verification.accept"


def test_answers_that_agree_against_the_reference_make_it_doubtful_and_the_recipe_says_what_follows(desk: Desk) -> None:
    for recipe in ("plain", "dropped", "repaired"):
        doubted = {question: {*verified(desk, recipe, question)["reference_doubtful"]} for question in (EGGS, MILES)}
        assert doubted == {EGGS: {True}, MILES: {False}}, recipe
    assert fates(desk, "plain", EGGS) == {WRONG: 8}
    assert fates(desk, "dropped", EGGS) == {"reference_doubtful verification.reference.drop": 8}
    assert fates(desk, "repaired", EGGS) == {"kept": 8}
    for recipe in ("dropped", "repaired"):  # six of eight are no nine of ten, and what is right stays
        assert fates(desk, recipe, MILES) == {"kept": 2, WRONG: 6}
        assert fates(desk, recipe, WINDOWS) == {"kept": 8}


def release(desk: Desk, asset: str, recipe: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / asset / recipe / "data" / f"{name}-*.parquet")


def test_a_repaired_reference_is_released_in_place_of_the_other_and_marked(desk: Desk) -> None:
    def references(rows: pl.DataFrame, question: str, *columns: str) -> set:
        return {*rows.filter(question_id=question_id(question)).select(columns).iter_rows()}

    rows = release(desk, "sft_dataset", "repaired", "train-asked")
    columns = ("reference_answer", "replaced_reference")
    assert references(rows, EGGS, *columns) == {("42", "44")}
    assert references(rows, WINDOWS, *columns) == {("12", None)}
    questions = release(desk, "rl_dataset", "repaired", "trl")
    assert references(questions, EGGS, "solution", "replaced_reference", "pass_rate") == {("42", "44", 1.0)}
    assert references(release(desk, "rl_dataset", "dropped", "trl"), EGGS, "solution") == set()
    assert references(release(desk, "rl_dataset", "plain", "trl"), EGGS, "solution") == {("44",)}


def test_a_release_whose_recipe_asks_for_nothing_of_it_is_what_it_was(desk: Desk) -> None:
    new = ("replaced_reference", "pass_rates", "min_share", "min_samples", "max_doubtful", "doubtful")
    for asset in ("sft_dataset", "rl_dataset"):
        folder: Path = desk.folder / "assets" / asset / "plain"
        card = (folder / "README.md").read_text()
        assert not [word for word in new if word in card]
        assert all("replaced_reference" not in pl.read_parquet_schema(file) for file in folder.rglob("*.parquet"))
    stored = pl.read_parquet(desk.folder / "assets" / "verification_policy" / "plain.parquet")
    assert not {*stored["setting"]} & {"reference", *new}
    assert "replaced_reference" in (desk.folder / "assets" / "sft_dataset" / "repaired" / "README.md").read_text()


def test_what_the_teacher_always_or_seldom_solves_goes_where_the_recipe_says_so(desk: Desk) -> None:
    rates = {question: {*verified(desk, "some", question)["pass_rate"]} for question in (WINDOWS, MILES, SHIPS, LAMP)}
    assert rates == {WINDOWS: {1.0}, MILES: {0.25}, SHIPS: {0.375}, LAMP: {None}}
    assert fates(desk, "some", WINDOWS) == {"pass_rate verification.pass_rates.most": 8}
    assert fates(desk, "some", MILES) == {"pass_rate verification.pass_rates.least": 2, WRONG: 6}
    assert fates(desk, "some", SHIPS) == {"kept": 3, WRONG: 5}
    assert fates(desk, "some", LAMP) == {"kept": 8}  # no verifier could tell
    released = release(desk, "sft_dataset", "plain", "train").filter(question_id=question_id(MILES))
    assert released["pass_rate"].to_list() == [0.25, 0.25]


def test_explain_shows_both_references_and_the_field_that_repaired(desk: Desk) -> None:
    said = am(desk, "explain", EGGS, "-r", "repaired").stdout
    assert "reference answer: 44" in said and "repaired_reference: 42" in said
    assert "kept under verification.accept: best of recipe repaired (by default); verification.reference.repair" in said
    assert "reference_doubtful: True" in am(desk, "explain", EGGS, "-r", "plain").stdout
    assert "repaired_reference" not in am(desk, "explain", WINDOWS, "-r", "repaired").stdout
    said = am(desk, "explain", LAMP, "-r", "agreed").stdout
    assert "measured: answer_consensus" in said and "equal_to: 0.5" in said
    assert (
        "dropped as pass_rate by verification.pass_rates.most: 0.9" in am(desk, "explain", WINDOWS, "-r", "some").stdout
    )


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ("verification.pass_rates.most=0.9", {"pass_rate": 8}),
        ("verification.reference.drop={min_share: 0.7, min_samples: 4}", {"reference_doubtful": 2}),
        ("verification.accept=consensus", {"against_consensus": 1, "unverifiable": 26}),
    ],
)
def test_a_preview_counts_what_such_a_field_would_drop(desk: Desk, change: str, lost: dict[str, int]) -> None:
    seen = json.loads(am(desk, "preview", "-r", "plain", "--set", change, "--json").stdout)
    assert seen["responses"]["lost_because"] == lost


def test_the_check_tells_the_share_of_doubtful_references_by_source(desk: Desk) -> None:
    import dagster as dg

    key = dg.AssetCheckKey(dg.AssetKey("verified_set"), "doubtful_references")
    with desk.instance() as instance:
        (last, *_) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    found = last.event.asset_check_evaluation
    assert not found.passed and found.severity == dg.AssetCheckSeverity.WARN
    (asked,) = found.metadata["by_source"].value
    assert asked == {"source": "asked", "questions": 4, "doubtful": 1, "share": 0.25}


def test_judges_are_measured_on_what_verifiers_could_tell_of(desk: Desk) -> None:
    found = {judge["name"]: judge for judge in json.loads(am(desk, "judges", "-r", "agreed", "--json").stdout)}
    assert [*found] == ["opinion", "reward", "consensus"]
    assert found["opinion"]["figures"] == [] and "asks nobody" in found["opinion"]["measured_on"]
    right, wrong = 8 + 2 + 3, 8 + 6 + 5
    everything, of_math = found["reward"]["figures"]  # it passes whatever it reads
    assert everything | {"category": "math"} == of_math
    assert {name: everything[name] for name in ("rows", "right", "wrong")} == {
        "rows": 32,
        "right": right,
        "wrong": wrong,
    }
    assert (everything["false_pass"], everything["false_fail"]) == (1.0, 0.0)
    assert everything["accuracy"] == pytest.approx(right / 32)
    agreed = found["consensus"]["figures"][0]  # of eggs, miles and windows; ships have none
    assert (agreed["rows"], agreed["right"], agreed["false_pass"], agreed["false_fail"]) == (24, 10, 1.0, 0.2)
    shown = am(desk, "judges", "-r", "agreed").stdout
    assert "consensus (the teachers), measured on: math answers to questions of which 4 answers or more" in shown


def test_judges_that_were_never_measured_are_told_with_what_would_measure_them(desk: Desk) -> None:
    path = desk.folder / "instruments.yaml"
    written = path.read_text()
    desk.edit("plain", "teacher", samples=1)
    try:
        desk.write("instruments.yaml", yaml.safe_load(written) | {"reward": {"model": "openai/judge"}})
        assert {*applied(desk, "-r", "plain", "-s", "+verified_set").values()} == {"done"}
        said = am(desk, "judges", "-r", "plain").stdout
        assert "accuracy" not in said
        assert said.startswith(
            "No judge could be measured: no response of recipe plain has a verdict of a verifier and"
        )
        assert "math.opinion with ask: always or reward.judges: every" in said and "4 answers to a question" in said
        assert "reward (openai/judge), measured on: none: reward.judges of instruments.yaml is open" in said
    finally:
        path.write_text(written)
        desk.edit("plain", "teacher", samples=8)
        applied(desk, "--all", "-s", SETS)


def test_the_edit_of_a_threshold_measures_nothing(desk: Desk) -> None:
    before = {
        name: Memo(desk.folder / "memo").known(name).collect() for name in Memo(desk.folder / "memo").namespaces()
    }
    path = desk.folder / "recipes" / "agreed.yaml"
    written = path.read_text()
    desk.edit("agreed", "verification", min_share=0.8)
    assert {asset for asset, _ in planned(desk, "-r", "agreed", "-s", "+verified_set")} == {
        "verification_policy",
        "verified_set",
    }
    assert {*applied(desk, "-r", "agreed", "-s", "+verified_set")} == {
        ("verification_policy", "agreed"),
        ("verified_set", "agreed"),
    }
    assert fates(desk, "agreed", LAMP) == {"kept": 7, AGAINST: 1}
    assert fates(desk, "agreed", BRIDGE) == {SHARE: 8}  # those without a result count as answers
    assert {name: Memo(desk.folder / "memo").known(name).collect().height for name in before} == {
        name: table.height for name, table in before.items()
    }
    path.write_text(written)
