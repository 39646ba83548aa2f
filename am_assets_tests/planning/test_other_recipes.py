"""What one recipe asks for leaves another, that was applied before, as it was: in its rows and up to date."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from am_assets_tests.commands import applied, planned
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import FREE, Desk, at_desk
from am_assets_tests.everywhere import SHARED
from am_assets_tests.scripted import Teacher, refusal
from am_assets_tests.students import write_tiny_student

pytestmark = pytest.mark.slow
MORE = {"extends": "plain", "teacher": {"samples": 2}}  # of every question one answer more
FOLLOW = {(name, "plain") for name in ("verified_set", "sft_dataset", "preference_dataset", "recipe_report")}
PLANNED = FOLLOW | {("rl_dataset", "plain")}  # reads decisions alone, whose rows come out the same


@pytest.fixture(scope="module")
def released(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose recipe `plain` was applied whole, and whose recipe `other` never was."""
    folder = tmp_path_factory.mktemp("released")
    desk = small_project(folder / "project", models, questions=2, shards=2, start_timeout=120)
    training = {**TASTE["training"], "student": str(write_tiny_student(folder / "student"))}
    desk.recipe("plain", {**TASTE, "training": training, "evaluation": {**TASTE["evaluation"], "samples": 1}})
    desk.recipe("other", MORE)
    with pytest.MonkeyPatch.context() as patch:
        at_desk(desk.folder, models, patch)
        outcomes = applied(desk, "-r", "plain")
    assert set(outcomes.values()) == {"done"}
    return desk.folder


@pytest.fixture
def desk(released: Path, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(released, tmp_path, dirs_exist_ok=True)
    return at_desk(tmp_path, models, monkeypatch)


def tables_of(recipe: str, desk: Desk) -> dict[str, bytes]:
    return {name: table for name, table in desk.bytes().items() if Path(name).stem.split("|")[-1] == recipe}


def stale(desk: Desk, recipe: str) -> set[tuple[str, str]]:
    """What is made of a recipe and stale by Dagster's own resolver, which the UI asks."""
    graph = desk.open([recipe], None).graph
    with dg.DagsterInstance.get() as instance:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {
            (key.to_user_string(), at)
            for key in graph.get_all_asset_keys()
            for at in map(str, graph.get(key).partitions_def.get_partition_keys())
            if at.split("|")[-1] == recipe and resolver.get_status(key, at) == StaleStatus.STALE
        }


def asked(models: Models) -> int:
    return sum(map(len, models.asked().values()))


def test_applying_another_recipe_leaves_the_released_one_as_it_was_and_in_sync(desk: Desk, models: Models) -> None:
    before = tables_of("plain", desk)
    assert {at: state for at, (state, _) in planned(desk, "-r", "other").items() if at[1] == "plain"} == dict.fromkeys(
        PLANNED, "follows"
    )
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert set(outcomes.values()) == {"done"}
    assert {at for at in outcomes if "plain" in at[1]} == FOLLOW  # nothing trained, nothing generated
    assert outcomes["responses", "asked0"] == "done"  # it did ask for more
    assert stale(desk, "plain") == set()
    assert tables_of("plain", desk) == before
    so_far = asked(models)
    assert planned(desk, "-r", "plain") == {}
    assert applied(desk, "-r", "plain") == {}
    assert planned(desk, "-r", "other", "-s", "+sft_dataset") == {}
    assert asked(models) == so_far


def test_only_a_part_of_another_recipe_leaves_what_was_decided_in_sync_too(desk: Desk) -> None:
    applied(desk, "-r", "other", "-s", "+responses")
    assert stale(desk, "plain") == set()
    applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert stale(desk, "plain") == set()


def test_what_a_killed_apply_left_out_of_date_the_next_one_makes_up_for(desk: Desk) -> None:
    plan = desk.open(["other"], "+responses")  # that knows of no other recipe, as one that was killed before them
    list(plan.apply())
    assert ("verified_set", "plain") in stale(desk, "plain")
    assert set(planned(desk, "-r", "other", "-s", "+responses")) == PLANNED
    applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert stale(desk, "plain") == set()


def test_a_teacher_that_fails_another_recipe_does_not_touch_the_released_one(desk: Desk) -> None:
    before = tables_of("plain", desk)
    refusing = Teacher(lambda *_: refusal(401, "no such key"))
    reach = {"api_base": refusing.url, "api_key_env": "TEST_MODEL_KEY", **FREE}
    desk.edit("other", "teacher", model="openai/nobody")
    endpoints = yaml.safe_load((desk.folder / "endpoints.yaml").read_text())
    desk.write("endpoints.yaml", {**endpoints, "openai/nobody": reach})
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    refusing.stop()
    assert outcomes["responses", "asked0"] == "failed"
    assert stale(desk, "plain") == set()
    assert tables_of("plain", desk) == before


def test_a_benchmark_that_only_another_recipe_names_changes_no_selection(desk: Desk) -> None:
    benchmarks = {"held_out": {"location": "pool/held_out.jsonl", "adapter": "jsonl"}}
    desk.rows("more", [{"question": "What is 5 plus 6?", "reference_answer": "11"}])
    desk.write("benchmarks.yaml", {**benchmarks, "more": {"location": "pool/more.jsonl", "adapter": "jsonl"}})
    desk.recipe("other", {"extends": "plain", "sampling": {"decontamination": {"benchmarks": ["held_out", "more"]}}})
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert outcomes["benchmark_overlap", "more"] == outcomes["selected_questions", "plain"] == "done"
    assert planned(desk, "-r", "plain") == {}
    assert stale(desk, "plain") == set()


def test_a_recipe_that_was_never_made_or_not_whole_is_not_begun_by_another(desk: Desk) -> None:
    desk.recipe("third", {"extends": "other", "teacher": {"samples": 3}})
    applied(desk, "-r", "third", "-s", "+selected_questions")
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert {at for _, at in outcomes if "|" not in at} & {"third", "plain"} == {"plain"}
    assert planned(desk, "-r", "third")["verified_set", "third"][0] == "missing"


def test_an_edit_of_the_released_recipe_waits_for_its_own_apply(desk: Desk) -> None:
    desk.edit("plain", "verification", accept="reward")
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert not [at for at in outcomes if "plain" in at[1]]
    words = "verification.accept of recipe plain changed from all to reward"
    assert planned(desk, "-r", "plain")["verification_policy", "plain"] == ("stale", words)
    outcomes = applied(desk, "-r", "plain", "-s", "+sft_dataset")
    assert outcomes["verified_set", "plain"] == "done"


def test_a_new_training_policy_waits_and_the_dataset_above_it_is_in_sync(desk: Desk) -> None:
    desk.edit("plain", "training", learning_rate=1e-4)
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert {at for at in outcomes if "plain" in at[1]} == FOLLOW
    assert {name for (name, _), (state, _) in planned(desk, "-r", "plain").items() if state == "stale"} == {
        "training_policy"
    }


def test_a_change_of_the_pool_arrives_at_both_when_each_is_applied(desk: Desk) -> None:
    desk.add_source("late", [{"question": "A box of 7 pens gets 7. How many?", "reference_answer": "14"}])
    outcomes = applied(desk, "-r", "other", "-s", "+sft_dataset")
    assert not [at for at in outcomes if "plain" in at[1]]
    state, because = planned(desk, "-r", "plain")["deduped_set", "plain"]
    assert (state, because.split(";")[0]) == ("stale", "late was added to sources.yaml")
    outcomes = applied(desk, "-r", "plain")
    assert outcomes["sft_dataset", "plain"] == outcomes["sft_checkpoint", "plain"] == "done"
    assert planned(desk, "-r", "plain") == {}


def test_what_was_removed_is_made_again_to_the_same_bytes_and_nothing_below_it(desk: Desk, models: Models) -> None:
    before, so_far = desk.bytes(), asked(models)
    removed = {("responses", "asked0"), ("verified_set", "plain")}
    for asset, partition in removed:
        desk.remove(asset, partition)
    if not SHARED:  # there what lies beside tables are copies
        assets = desk.folder / "assets"
        next((assets / "sft_dataset" / "plain" / "data").iterdir()).unlink()
        shutil.rmtree(assets / "preference_dataset" / "plain")
        (assets / "recipe_report" / "plain.html").unlink()
        next((assets / "checkpoints").glob("*/*.safetensors")).unlink()
        removed |= {
            (name, "plain") for name in ("sft_dataset", "preference_dataset", "recipe_report", "sft_checkpoint")
        }
    plan = planned(desk, "-r", "plain")
    assert {at for at, (state, because) in plan.items() if "was removed" in because and state == "stale"} == removed
    assert applied(desk, "-r", "plain") == dict.fromkeys(removed, "done")
    assert desk.bytes() == before
    assert planned(desk, "-r", "plain") == {}
    assert asked(models) == so_far
