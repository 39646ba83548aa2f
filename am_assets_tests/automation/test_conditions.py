"""What is requested after an edit, tick by tick, and what never is."""

from collections.abc import Callable

import dagster as dg
import pytest

from am_assets_tests.automation.ticks import Loop
from am_assets_tests.desk import Desk

SHARDS = {"sums", "tasks", "open", "asked"}
RECIPES = {"plain", "other"}
# The card of a release says all settings that made its rows, so each level of a recipe that moves writes it once more.
CARD = {"sft_dataset": {"plain"}}
FREE = {
    "question_features", "similar_pairs", "benchmark_overlap", "benchmark_hits", "response_features",
    "math_verdicts", "instruction_verdicts", "answer_consensus", "response_screens", "benchmark_consensus",
    "training_log",
}  # fmt: skip
DECISIONS = {
    "deduped_set", "selected_questions", "teacher_requests", "verified_set", "sft_dataset", "preference_dataset",
    "rl_dataset", "eval_scores", "question_scores", "experiment_report", "recipe_report",
}  # fmt: skip


@pytest.fixture
def loop(made: Desk) -> Loop:
    loop = Loop(made.open(None, None).definitions, dg.DagsterInstance.get())
    assert loop.tick() == {}  # all is up to date
    return loop


def reloaded(loop: Loop, desk: Desk) -> Loop:
    """The same instance and memory, with the definitions of the folder as it is now."""
    return Loop(desk.open(None, None).definitions, loop.instance, loop.cursor)


def look_at_files(loop: Loop) -> None:
    """The sensor on files looks, which tells the conditions what the files say now."""
    (files,) = [sensor for sensor in loop.real.sensors or [] if sensor.name == "files"]
    repository = loop.real.get_repository_def()
    with dg.build_sensor_context(loop.instance, repository_def=repository, last_sensor_start_time=1.0) as context:
        files(context)


def test_what_follows_is_decisions_and_evidence_that_is_free(loop: Loop) -> None:
    following = {
        key.to_user_string() for key in loop.graph.get_all_asset_keys() if loop.graph.get(key).automation_condition
    }
    assert following == FREE | DECISIONS


def test_a_threshold_moves_down_its_own_recipe_one_level_a_tick_as_far_as_content_changes(loop: Loop) -> None:
    loop.run("dedup_policy", "plain", content="threshold 0.9")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}
    loop.run("deduped_set", "plain", content="fewer kept")
    assert loop.tick() == {"selected_questions": {"plain"}, "recipe_report": {"plain"}, **CARD}
    loop.run_all(CARD)
    loop.run("recipe_report", "plain")
    loop.run("selected_questions", "plain")  # the same questions after all
    assert loop.tick() == {}


def test_a_changed_selection_is_asked_of_every_shard_and_of_no_teacher(loop: Loop) -> None:
    loop.run("selected_questions", "plain", content="one more")
    below = {name: {"plain"} for name in ("verified_set", "rl_dataset", "recipe_report")} | CARD
    assert loop.tick() == {"teacher_requests": SHARDS, **below}
    loop.run("teacher_requests", *SHARDS - {"open"})
    loop.run("teacher_requests", "open", content="one more request")
    loop.run_all(below)
    assert loop.tick() == {"verified_set": {"other"}}  # that of `plain` has read it already; `responses` cost something


def test_a_run_again_with_the_same_content_moves_nothing(loop: Loop) -> None:
    loop.run_everything()
    assert loop.tick() == {}


def test_answers_of_a_night_are_read_and_judged_in_their_shard_and_then_decided(loop: Loop) -> None:
    loop.run("responses", "sums", content="answers")
    assert loop.tick() == {
        "response_features": {"sums"}, "response_screens": {"sums"}, "verified_set": RECIPES, "recipe_report": RECIPES,
        "sft_dataset": RECIPES, "preference_dataset": RECIPES,
    }  # fmt: skip


def test_what_was_asked_for_another_recipe_ends_where_the_rows_are_the_same_and_leaves_all_in_sync(loop: Loop) -> None:
    from am_assets.planning.records import Records
    from am_assets.planning.staleness import Staleness

    for name in ("teacher_requests", "responses", "response_features", "code_verdicts", "reward_scores"):
        loop.run(name, "sums", content="more rows")
    requested = set()
    while found := loop.tick():
        requested |= {(name, at) for name, partitions in found.items() for at in partitions}
        loop.run_all(found)
    free = ("math_verdicts", "instruction_verdicts", "answer_consensus", "response_screens")
    assert requested == {(name, "sums") for name in free} | {
        (name, recipe)
        for name in ("verified_set", "sft_dataset", "preference_dataset", "recipe_report")
        for recipe in RECIPES
    }
    staleness = Staleness(loop.graph, Records(loop.instance))
    made = [(key, at) for key in loop.graph.get_all_asset_keys() for at in staleness.records.made(key)]
    assert [at for at in made if staleness.causes(*at)] == []


def test_a_new_shard_is_measured_where_that_is_free_and_no_other_shard_is_touched(loop: Loop, made: Desk) -> None:
    made.add_source("more", [{"question": "What is 3 plus 3?", "reference_answer": "6"}])
    loop = reloaded(loop, made)
    assert loop.tick() == {}  # nothing is there to measure
    loop.run("raw_pool", "more")
    assert loop.tick() == {"question_features": {"more"}, "teacher_requests": {"more"}}
    loop.run_all({"question_features": {"more"}, "teacher_requests": {"more"}})
    assert loop.tick() == {"rl_dataset": RECIPES}  # the rest waits for labels and vectors, which cost something
    loop.run("rl_dataset", *RECIPES)
    loop.run("question_labels", "more")
    loop.run("question_embeddings", "more")
    assert loop.tick() == {
        "similar_pairs": {"more"}, "benchmark_overlap": {"held_out"}, "benchmark_hits": {"held_out"},
        "selected_questions": RECIPES,
    }  # fmt: skip
    loop.run("selected_questions", *RECIPES)
    loop.run("similar_pairs", "more")
    loop.run("benchmark_overlap", "held_out", content="one shard more")
    loop.run("benchmark_hits", "held_out")
    assert loop.tick() == {"deduped_set": RECIPES, "selected_questions": RECIPES}


def test_a_question_more_is_compared_with_others_once_it_has_a_vector(loop: Loop) -> None:
    loop.run("raw_pool", "sums", content="one question more")
    waits = {"similar_pairs", "benchmark_overlap", "benchmark_hits"}
    assert not waits & loop.tick().keys()
    loop.run("question_embeddings", "sums", content="one vector more")
    assert waits <= loop.tick().keys()


def test_below_a_failed_blocking_check_nothing_is_requested_until_it_passes(loop: Loop) -> None:
    loop.empty.add(("deduped_set", "plain"))
    loop.run("dedup_policy", *RECIPES, content="threshold 0.1")
    assert loop.tick() == {"deduped_set": RECIPES, "sft_dataset": RECIPES}
    loop.run("deduped_set", *RECIPES, content="nothing kept")
    below = ("selected_questions", "sft_dataset", "recipe_report")
    assert loop.tick() == {name: {"other"} for name in below}
    loop.run_all({name: {"other"} for name in below})
    assert loop.tick() == {}
    loop.empty.clear()
    loop.run("deduped_set", "plain", content="some kept")
    assert loop.tick() == {name: {"plain"} for name in below}


def test_an_empty_selection_of_one_recipe_holds_up_no_shard(loop: Loop) -> None:
    loop.empty.add(("selected_questions", "plain"))
    loop.run("selected_questions", "plain", content="nothing kept")
    assert loop.tick() == {"teacher_requests": SHARDS}


def test_a_new_recipe_is_made_from_the_evidence_that_is_there_and_no_other_recipe_is(loop: Loop, made: Desk) -> None:
    made.recipe("third", {"extends": "plain", "dedup": {"threshold": 0.9}})
    loop = reloaded(loop, made)
    assert loop.tick() == {}
    policies = [f"{name}_policy" for name in ("dedup", "sampling", "teacher", "verification")]
    loop.run_all({name: {"third"} for name in policies})
    assert loop.tick() == {"deduped_set": {"third"}, "teacher_requests": SHARDS}
    loop.run("teacher_requests", *SHARDS)
    loop.run("deduped_set", "third")
    assert loop.tick() == {"selected_questions": {"third"}}


def test_a_recipe_that_was_removed_holds_up_no_other(loop: Loop, made: Desk) -> None:
    (made.folder / "recipes" / "other.yaml").unlink()
    look_at_files(loop)
    loop.run("question_labels", "open", content="other labels")
    assert loop.tick() == {"deduped_set": {"plain"}, "selected_questions": {"plain"}}


def test_an_edit_between_the_request_and_its_run_is_not_forgotten(loop: Loop) -> None:
    loop.run("dedup_policy", "plain", content="threshold 0.9")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}
    loop.run("deduped_set", "plain", content="fewer kept")
    loop.run("dedup_policy", "plain", content="threshold 0.8")  # before the next tick
    below = {"selected_questions": {"plain"}, "recipe_report": {"plain"}, **CARD}
    assert loop.tick() == {"deduped_set": {"plain"}, **below}


def test_an_edit_while_it_runs_is_taken_up_when_the_run_is_done(loop: Loop, running: Callable[[str, str], str]) -> None:
    loop.run("dedup_policy", "plain", content="threshold 0.9")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}
    loop.run_all(CARD)
    run_id = running("deduped_set", "plain")
    loop.run("dedup_policy", "plain", content="threshold 0.8")
    assert loop.tick() == {}
    loop.instance.report_run_failed(loop.instance.get_run_by_id(run_id))
    assert loop.tick() == {"deduped_set": {"plain"}}  # the card waits for its check


def test_what_was_brought_up_to_date_by_hand_is_not_made_once_more(loop: Loop) -> None:
    loop.run("dedup_policy", "plain", content="threshold 0.9")
    loop.run("deduped_set", "plain", content="fewer kept")
    loop.run("selected_questions", "plain")
    loop.run_all(CARD)
    loop.run("recipe_report", "plain")
    assert loop.tick() == {}


def test_a_run_that_failed_is_asked_for_again_when_something_changes_and_not_before(loop: Loop) -> None:
    loop.run("dedup_policy", "plain", content="threshold 0.9")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}
    assert loop.tick() == {}  # it failed: nothing was stored
    loop.run("dedup_policy", "plain", content="threshold 0.8")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}


@pytest.fixture
def running(loop: Loop) -> Callable[[str, str], str]:
    """Starts a run that does not end."""

    def start(asset: str, partition: str) -> str:
        run = loop.instance.create_run_for_job(
            loop.job, asset_selection=frozenset({dg.AssetKey(asset)}), tags={"dagster/partition": partition}
        )
        planned = dg.AssetKey(asset)
        loop.instance.report_engine_event("started", run)
        from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

        loop.instance.report_dagster_event(
            DagsterEvent.build_asset_materialization_planned_event(
                loop.job.name, "step", AssetMaterializationPlannedData(planned, partition=partition)
            ),
            run.run_id,
        )
        loop.instance.report_dagster_event(
            DagsterEvent(event_type_value="PIPELINE_START", job_name=loop.job.name), run.run_id
        )
        return run.run_id

    return start


def test_nothing_of_an_experiment_is_requested_unasked(loop: Loop, made: Desk) -> None:
    (made.folder / "experiments").mkdir()
    variants = {"all": None, "half": {"sampling": {"share": 0.5}}}
    made.write("experiments/size.yaml", {"question": "?", "base": "plain", "variants": variants})
    loop = reloaded(loop, made)
    look_at_files(loop)
    assert loop.tick() == {}
    loop.run_everything()  # as if it had been asked for
    assert loop.tick() == {}
    for recipe in ("plain", "size--half"):
        loop.run("dedup_policy", recipe, content="threshold 0.9")
    loop.run("question_scores", "size--all", content="others")
    assert loop.tick() == {"deduped_set": {"plain"}, **CARD}
