"""What is stale, read in bulk, is what Dagster says of each partition; and what a blocking check said last."""

from collections.abc import Iterator, Sequence

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCause, StaleStatus
from dagster._core.loader import LoadingContextForTest

from am_assets.planning.records import Records
from am_assets.planning.staleness import Cause, Staleness

SHARDS = dg.StaticPartitionsDefinition(["a", "b", "c"])
RECIPES = dg.StaticPartitionsDefinition(["x", "y"])
EARLIER = dg.StaticPartitionMapping({"a": ["a", "b", "c"], "b": ["b", "c"], "c": ["c"]})
EVERY = dg.AllPartitionMapping()


class World:
    """A graph like ours in small, whose assets give the data version that they are told to."""

    def __init__(self, instance: dg.DagsterInstance):
        self.instance = instance
        self.versions: dict[str, str] = {}
        self.passes = True
        self.define()

    def define(self, code: str = "1", further: tuple[str, ...] = ()) -> None:
        def asset(name: str, partitions: dg.PartitionsDefinition, deps: list, **options) -> dg.AssetsDefinition:
            @dg.asset(name=name, partitions_def=partitions, deps=deps, **options)
            def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
                version = self.versions.get(f"{name}[{context.partition_key}]", "first")
                return dg.MaterializeResult(data_version=dg.DataVersion(version))

            return body

        @dg.asset_check(asset="chosen", blocking=True, partitions_def=RECIPES)
        def not_empty() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.passes)

        fan_in = [dg.AssetDep(name, partition_mapping=EVERY) for name in ("pool", "measured", *further)]
        self.definitions = dg.Definitions(
            [
                asset("pool", SHARDS, []),
                asset("measured", SHARDS, ["pool"], code_version=code),
                asset("pairs", SHARDS, [dg.AssetDep("measured", partition_mapping=EARLIER)]),
                asset("chosen", RECIPES, fan_in),
            ],
            asset_checks=[not_empty],
        )
        self.graph = self.definitions.resolve_asset_graph()

    def make(self, *partitions: str) -> None:
        job = self.definitions.resolve_implicit_global_asset_job_def()
        for partition in partitions:
            name, _, at = partition.rstrip("]").partition("[")
            job.execute_in_process(
                instance=self.instance, asset_selection=[dg.AssetKey(name)], partition_key=at, raise_on_error=False
            )

    def make_all(self) -> None:
        self.make(
            *(f"{name}[{at}]" for name in ("pool", "measured", "pairs") for at in "abc"), "chosen[x]", "chosen[y]"
        )

    def stale(self) -> dict[str, list[tuple[str, str]] | None]:
        """By partition the parents that changed, as told in bulk; None for one that is missing. Dagster must agree."""
        told = Staleness(self.graph, Records(self.instance))
        resolver = CachingStaleStatusResolver(self.instance, self.graph, LoadingContextForTest(self.instance))
        found = {}
        for key in self.graph.toposorted_asset_keys:
            for at in self.graph.get(key).partitions_def.get_partition_keys():
                ours = _parents(told.causes(key, at))
                status = resolver.get_status(key, at)
                assert (ours is None) == (status == StaleStatus.MISSING)
                assert (ours == []) == (status == StaleStatus.FRESH)
                assert (ours or []) == _parents_by_dagster(resolver.get_stale_causes(key, at))
                found[f"{key.to_user_string()}[{at}]"] = ours
        return {at: causes for at, causes in found.items() if causes != []}


def _parents(causes: list[Cause] | None) -> list[tuple[str, str]] | None:
    if causes is None:
        return None
    parents = [(cause.parent.to_user_string() if cause.parent else "code", cause.partitions) for cause in causes]
    return sorted((name, at) for name, partitions in parents for at in partitions or ("",))


def _parents_by_dagster(causes: Sequence[StaleCause]) -> list[tuple[str, str]]:
    above = [cause.dependency for cause in causes]
    return sorted((one.asset_key.to_user_string(), one.partition_key or "") if one else ("code", "") for one in above)


@pytest.fixture
def world() -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(instance)


def test_what_was_never_made_is_missing_and_what_was_just_made_is_fresh(world: World) -> None:
    assert set(world.stale().values()) == {None}
    world.make_all()
    assert world.stale() == {}


def test_a_parent_that_came_out_different_makes_its_children_stale_and_one_that_did_not_leaves_them(
    world: World,
) -> None:
    world.make_all()
    world.make("pool[b]")
    assert world.stale() == {}
    world.versions["pool[b]"] = "second"
    world.make("pool[b]")
    assert world.stale() == {f"{at}": [("pool", "b")] for at in ("measured[b]", "chosen[x]", "chosen[y]")}
    world.make("measured[b]", "chosen[x]")
    assert world.stale() == {"chosen[y]": [("pool", "b")]}
    world.versions["measured[a]"] = "second"
    world.make("measured[a]")
    assert set(world.stale()) == {"pairs[a]", "pairs[b]", "pairs[c]", "chosen[x]", "chosen[y]"}


def test_a_parent_that_changed_and_changed_back_leaves_its_children_fresh(world: World) -> None:
    world.make_all()
    for version in ("second", "first"):
        world.versions["measured[c]"] = version
        world.make("measured[c]")
    assert world.stale() == {}


def test_new_code_and_other_parents_are_told(world: World) -> None:
    world.make_all()
    world.define(code="2", further=("pairs",))
    assert world.stale()["measured[a]"] == [("code", "")]
    assert world.stale()["chosen[x]"] == [("pairs", at) for at in "abc"]
    world.make("measured[a]", "measured[b]", "measured[c]", "chosen[x]", "chosen[y]")
    world.define(code="2")
    assert world.stale() == {f"chosen[{at}]": [("pairs", "")] for at in "xy"}


def test_records_read_again_what_is_new_and_a_check_speaks_of_the_latest_materialization(world: World) -> None:
    records, check = Records(world.instance), dg.AssetCheckKey(dg.AssetKey("chosen"), "not_empty")
    assert (records.made(dg.AssetKey("chosen")), records.check(check, "x")) == ({}, "not run")
    world.make_all()
    assert records.made(dg.AssetKey("chosen")) == {}
    records.refresh(dg.AssetKey("chosen"))
    assert (set(records.made(dg.AssetKey("chosen"))), records.check(check, "x")) == ({"x", "y"}, "passed")
    world.passes = False
    world.make("chosen[x]")
    records.refresh(dg.AssetKey("chosen"))
    assert (records.check(check, "x"), records.check(check, "y")) == ("failed", "passed")
    world.instance.report_runless_asset_event(dg.AssetMaterialization("chosen", partition="y"))
    records.refresh(dg.AssetKey("chosen"))
    assert records.check(check, "y") == "not run"


def test_a_check_of_more_partitions_than_any_page_of_its_history_is_known_of_each(world: World) -> None:
    chosen = dg.AssetKey("chosen")
    for number in range(250):
        world.instance.report_runless_asset_event(dg.AssetMaterialization(chosen, partition=f"r{number}"))
        world.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(chosen, "not_empty", passed=True, metadata={}, partition=f"r{number}")
        )
    check, records = dg.AssetCheckKey(chosen, "not_empty"), Records(world.instance)
    assert {records.check(check, f"r{number}") for number in range(250)} == {"passed"}


@pytest.mark.parametrize("passed", [True, False])
def test_machines_that_made_a_partition_together_may_end_their_checks_in_another_order(
    world: World, passed: bool
) -> None:
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationTargetMaterializationData as Target,
    )
    from dagster._core.events import DagsterEvent

    chosen, made = dg.AssetKey("chosen"), []
    for _ in range(2):
        world.instance.report_runless_asset_event(dg.AssetMaterialization(chosen, partition="x"))
        record = world.instance.get_latest_data_version_record(chosen, False, "x")
        assert record
        made.append(Target(storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp))
    for target, result in ((made[1], passed), (made[0], not passed)):
        evaluation = dg.AssetCheckEvaluation(
            asset_key=chosen,
            check_name="not_empty",
            passed=result,
            metadata={},
            target_materialization_data=target,
            partition="x",
        )
        event = DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
            job_name="",
            event_specific_data=evaluation,
        )
        world.instance.report_dagster_event(event, run_id=f"machine-{target.storage_id}")
    check = dg.AssetCheckKey(chosen, "not_empty")
    assert Records(world.instance).check(check, "x") == ("passed" if passed else "failed")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"version": "4"}, {"version": {"decide": "5"}, "shards": ["a", "b"]}),  # declared since an earlier version
        ({"shards": ["a"]}, {"shards": ["a"], "ranks": {"a": 1}}),
        ({}, {"shards": ["a"]}),
        (None, {"shards": ["a"]}),
    ],
)
def test_what_an_earlier_version_did_not_declare_is_a_reason_all_the_same(before: dict | None, after: dict) -> None:
    from am_assets.planning.reasons import _instrument

    assert all(_instrument(before, after)) and _instrument(before, after)
