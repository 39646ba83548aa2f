"""What the schedule fills, for how much, and when it does nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.test_utils import create_run_for_test

from am_assets.orchestration.resources import BUDGET_TAG
from am_assets.storage.memo import Memo
from am_assets.storage.stored import stored_at
from am_assets_tests.automation.ticks import Loop
from am_assets_tests.desk import Desk

SHARDS = {"sums", "tasks", "open", "asked"}
RECIPES = {"plain", "other"}


class Nights:
    """A project of which everything was made, what is done to it by day, and the schedule at night."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.desk.write("schedule.yaml", {"recipes": sorted(RECIPES)})
        self.load()

    def load(self) -> None:
        from am_assets.planning.plan import Plan

        self.plan: Plan = self.desk.open(None, None)
        self.day = Loop(self.plan.definitions, self.plan.instance)

    def fills(self) -> set[tuple[str, str]]:
        from am_assets.automation.backfill import to_fill

        return {(at.asset_key.to_user_string(), at.partition_key) for at in to_fill(self._now())}

    def launch(self) -> str:
        from am_assets.automation.backfill import launch
        from am_assets.project import project

        return launch(self._now(), project())

    def _now(self):
        from am_assets.planning.plan import Plan

        no_roots: dict = {}  # no file was read for what stands there
        plan = Plan(self.plan.definitions, self.plan.instance, no_roots, self.plan.in_scope)
        for key in plan.keys:
            for partition in plan.records.made(key):  # a table of each, as nothing was removed
                path = stored_at(plan.tables.folder, key.to_user_string(), partition.replace("|", "/"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        return plan


class Scheduled:
    """The schedule of a project and its job, as the scheduler and a preview reach them."""

    def __init__(self, desk: Desk):
        plan = desk.open(None, None)
        self.instance = plan.instance
        self.repository = plan.definitions.get_repository_def()

    def tick(self):
        with dg.build_schedule_context(self.instance, repository_def=self.repository) as context:
            return self.repository.get_schedule_def("fill_evidence").evaluate_tick(context)

    def run(self, tags: Mapping[str, str] | None = None) -> str:
        """What the run has said when it is done."""
        done = self.repository.get_job("fill_evidence").execute_in_process(instance=self.instance, tags=tags)
        return "\n".join(entry.user_message for entry in self.instance.all_logs(done.run_id))


@pytest.fixture
def nights(made: Desk) -> Nights:
    return Nights(made)


def test_it_does_nothing_where_nothing_is_missing(nights: Nights) -> None:
    assert nights.launch() == "no evidence is missing or stale that could be measured now"
    assert not nights.plan.instance.get_backfills()


def test_a_tick_changes_nothing_and_the_run_it_asks_for_launches_one_backfill(fresh: Desk) -> None:
    fresh.write("schedule.yaml", {"recipes": ["plain"]})
    schedule = Scheduled(fresh)
    size = f"{5 * len(SHARDS) + 3} partitions"  # all that no decision stands before
    for _ in range(2):  # as often as somebody previews it
        (requested,) = schedule.tick().run_requests
        assert requested.tags["am/to_fill"] == size
        assert not schedule.instance.get_backfills()
        assert not schedule.instance.get_runs_count()

    said = schedule.run(requested.tags)
    (backfill,) = schedule.instance.get_backfills()
    assert f"backfill {backfill.backfill_id} of {size}" in said

    under_way = f"backfill {backfill.backfill_id} is still under way"
    again = schedule.tick()
    assert (again.run_requests, again.skip_message) == ([], under_way)
    assert under_way in schedule.run()  # as anybody may start the job from its page
    assert len(schedule.instance.get_backfills()) == 1


def test_of_several_recipes_those_are_filled_that_the_file_names(fresh: Desk) -> None:
    schedule = Scheduled(fresh)
    name_them = "schedule.yaml: recipes: name them"
    for content in ({}, {"recipes": []}):
        fresh.write("schedule.yaml", content)
        tick = schedule.tick()
        assert (tick.run_requests, tick.skip_message) == ([], name_them)
        assert name_them in schedule.run()
    fresh.write("schedule.yaml", {"recipes": ["other"]})
    assert len(schedule.tick().run_requests) == 1
    schedule.run()
    (backfill,) = schedule.instance.get_backfills()
    assert backfill.tags["am/recipes"] == "other"


def test_a_project_with_one_recipe_need_not_name_it(fresh: Desk) -> None:
    (fresh.folder / "recipes" / "other.yaml").unlink()
    assert len(Scheduled(fresh).tick().run_requests) == 1


def test_a_broken_recipe_holds_up_no_other_and_where_there_is_no_other_it_is_named(fresh: Desk) -> None:
    fresh.write("schedule.yaml", {"recipes": ["plain", "other"]})
    fresh.edit("other", "dedup", treshold=0.9)
    schedule = Scheduled(fresh)
    assert len(schedule.tick().run_requests) == 1
    fresh.write("schedule.yaml", {"recipes": ["other"]})
    assert "other.yaml: dedup.treshold" in schedule.tick().skip_message


def test_what_only_other_recipes_need_is_not_filled(nights: Nights) -> None:
    nights.day.run("sft_dataset", *RECIPES, content="another dataset")
    from am_assets.planning.scope import scope
    from am_assets.project import project

    nights.plan.in_scope = scope(project(), ["plain"])
    assert nights.fills() == {("sft_checkpoint", "plain"), ("touched_items", "held_out|plain")}


def test_a_tick_asks_for_no_second_run_while_the_first_one_waits(fresh: Desk) -> None:
    fresh.write("schedule.yaml", {"recipes": ["plain"]})
    schedule = Scheduled(fresh)
    waiting = create_run_for_test(schedule.instance, job_name="fill_evidence", status=dg.DagsterRunStatus.NOT_STARTED)
    again = schedule.tick()
    said = f"run {waiting.run_id}, which launches a backfill, is still under way"
    assert (again.run_requests, again.skip_message) == ([], said)
    schedule.instance.report_run_canceled(waiting)
    assert len(schedule.tick().run_requests) == 1


def test_a_new_shard_is_filled_as_far_as_no_decision_stands_between(nights: Nights) -> None:
    nights.desk.add_source("more", [{"question": "What is 3 plus 3?", "reference_answer": "6"}])
    nights.load()
    pool = {"raw_pool", "question_features", "question_labels", "question_embeddings", "similar_pairs"}
    benchmarks = {(name, "held_out") for name in ("benchmark_overlap", "benchmark_hits")}
    assert nights.fills() == {(name, "more") for name in pool} | benchmarks


def test_answers_are_asked_for_when_the_requests_are_settled_and_not_while_a_policy_is_moving(nights: Nights) -> None:
    nights.day.run("teacher_requests", "open", content="one more request")
    assert nights.fills() == {("responses", "open")}
    nights.day.run("teacher_policy", "plain", content="another model")
    assert nights.fills() == set()
    nights.day.run("selected_questions", "plain")
    nights.day.run("teacher_requests", *SHARDS)
    nights.day.run("verified_set", "plain")
    assert nights.fills() == {("responses", "open")}


def test_no_student_is_trained_on_a_dataset_whose_check_failed(nights: Nights) -> None:
    nights.day.empty.add(("sft_dataset", "plain"))
    nights.day.run("sft_dataset", *RECIPES, content="another dataset")
    assert nights.fills() == {("sft_checkpoint", "other"), ("touched_items", "held_out|other")}


def test_it_launches_one_backfill_within_the_budget_and_no_second_one_meanwhile(nights: Nights) -> None:
    nights.desk.write("schedule.yaml", {"budget_usd": 5, "recipes": sorted(RECIPES)})
    yesterday, now = datetime.now(UTC) - timedelta(hours=30), datetime.now(UTC)
    memo = nights.desk.folder / "memo"
    Memo(memo).append("responses", pl.DataFrame({"key": ["a", "b"], "cost": [1.5, 0.5]}))
    (memo / "labels").mkdir()
    stamped = pl.DataFrame({"key": ["c"], "cost": [9.0], "stored_at": [yesterday]})
    stamped.with_columns(pl.col("stored_at").dt.cast_time_unit("ms")).write_parquet(memo / "labels" / "old.parquet")
    nights.day.run("teacher_requests", "open", "sums", content="more requests")

    assert nights.launch().endswith("of 2 partitions")
    (backfill,) = nights.plan.instance.get_backfills()
    assert backfill.status == BulkActionStatus.REQUESTED
    assert float(backfill.tags[BUDGET_TAG]) == pytest.approx((5 - 2) / 2)  # of each of the two
    subset = backfill.asset_backfill_data.target_subset
    assert {(at.asset_key.to_user_string(), at.partition_key) for at in subset.iterate_asset_partitions()} == {
        ("responses", "open"), ("responses", "sums"),
    }  # fmt: skip
    assert now.timestamp() - 60 < backfill.backfill_timestamp

    assert nights.launch() == f"backfill {backfill.backfill_id} is still under way"
    nights.plan.instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    assert nights.launch().endswith("of 2 partitions")


def test_a_condition_requests_nothing_that_a_backfill_is_about_to_make(nights: Nights) -> None:
    nights.day.tick()
    nights.day.run("teacher_requests", "open", content="one more request")
    nights.launch()
    nights.day.run("responses", "sums", content="by hand")
    requested = nights.day.tick()
    assert requested["response_features"] == {"sums"}
    assert "verified_set" not in requested  # answers of `open` are under way


def test_a_recipe_some_of_whose_requests_were_left_out_waits_and_others_move_on(nights: Nights) -> None:
    nights.day.tick()
    nights.day.metadata["responses", "sums"] = {"unasked": {"other": 2}}
    nights.day.run("responses", "sums", content="what plain asked")
    nights.day.run("response_features", "sums", content="of fewer")
    assert nights.day.tick()["verified_set"] == {"plain"}
    nights.day.metadata.clear()
    nights.day.run("responses", "sums", content="what both asked")
    nights.day.run("verified_set", "plain")
    assert nights.day.tick()["verified_set"] >= {"other"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cron": "every night"}, "schedule.yaml: cron: every night: not a cron expression"),
        ({"timezone": "Berlin"}, "timezone: Berlin: unknown"),
        ({"budget_usd": -1}, "schedule.yaml: budget_usd"),
        ({"recipes": "demo"}, "schedule.yaml: recipes: Input should be a valid list"),
        ({"recipes": ["plane"]}, "schedule.yaml: recipes: no recipe plane in recipes/; there are plain"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, wrong: dict, says: str) -> None:
    from am_assets.automation.schedule import load_schedule
    from am_assets.config.files import ConfigError

    (tmp_path / "recipes").mkdir()
    Desk(tmp_path).recipe("plain", {})
    Desk(tmp_path).write("schedule.yaml", wrong)
    with pytest.raises(ConfigError) as refused:
        load_schedule(tmp_path)
    assert says in str(refused.value)
