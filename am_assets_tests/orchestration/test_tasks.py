"""Tasks that measure beside a run on a cluster: what their process measures, when they are begun, and how they end."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import polars as pl
import pytest

from am_assets.config.cluster import Launcher
from am_assets.orchestration.dagster_internals import DATA_VERSION_TAG
from am_assets.orchestration.measuring import Helping, measured
from am_assets.orchestration.schemas import TABLES
from am_assets.project import load_project
from am_assets.storage.memo import Memo
from am_assets.storage.streams import content_version
from am_assets_tests.desk import SUMS, Desk


def test_a_task_measures_what_a_run_would_by_the_body_of_the_table(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1")
    desk.write("sources.yaml", {"sums": desk.sources()["sums"]})
    here = load_project(tmp_path, tmp_path / "sources.yaml")
    told = [(f"q{at}", *row) for at, row in enumerate(SUMS)]
    questions = [{"question_id": at, "question": question, "reference_answer": to} for at, question, to, _ in told]
    answers = [
        {"response_id": f"r{at}", "question_id": at, "answer": f"\\boxed{{{to} + 0}}", "well_formed": True}
        for at, _, to, _ in told
    ]
    instance = dg.DagsterInstance.ephemeral()

    def made(name: str, rows: pl.DataFrame, partition: str = "sums") -> None:
        path = here.assets / name / f"{partition}.parquet"
        path.parent.mkdir(parents=True)
        schema = TABLES[name].create_empty().schema
        table = rows.match_to_schema(schema, missing_columns="insert", extra_columns="ignore")
        table.write_parquet(path)
        tags = {DATA_VERSION_TAG: content_version(table)}
        instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=partition, tags=tags))

    def stored_of(namespace: str) -> pl.DataFrame:
        stored = Memo(here.memo).known(namespace)
        return pl.DataFrame() if stored is None else stored.collect()

    def by_tasks(namespace: str, asset: str, partition: str = "sums") -> pl.DataFrame:
        """What a task stores of a table, and another after it nothing of."""
        before, helping = stored_of(namespace).height, [Helping(here, namespace), Helping(here, namespace)]
        for one in helping:
            measured(here, one, asset, partition, instance)
        stored = stored_of(namespace)
        assert [one.stored for one in helping] == [stored.height - before, 0]
        return stored

    for name, rows in {"raw_pool": questions, "response_features": answers}.items():
        made(name, pl.DataFrame(rows))
    vectors = by_tasks("embeddings", "question_embeddings")
    assert vectors.height == len(SUMS)
    assert set(by_tasks("math", "math_verdicts")["verdict"]) == {"pass"}

    same = [vectors["vector"][0]] * len(SUMS)
    made("question_embeddings", pl.DataFrame(questions).with_columns(vector=pl.Series(same)))
    (found,) = by_tasks("pairs", "similar_pairs").iter_rows(named=True)
    assert len(found["rows"]) == len(found["other_rows"]) == len(SUMS) * (len(SUMS) - 1) // 2

    made("benchmark_questions", pl.DataFrame({"item_id": ["i"], "question": [SUMS[0][0]]}), "held_out")
    by_tasks("embeddings", "benchmark_overlap", "held_out")
    (overlap,) = by_tasks("overlaps", "benchmark_overlap", "held_out")["rows"]
    assert any(row["same_text"] for row in overlap)


class Ray:
    """The launcher of a cluster, as far as tasks use it."""

    name = "Ray"

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}
        self.stopped: list[str] = []
        self.away = False

    def begin_beside(self, name: str, *_: str) -> None:
        if self.away:
            raise RuntimeError("Ray is away")
        self.jobs[name] = "RUNNING"

    def ended(self, name: str) -> str | None:
        return None if self.jobs[name] == "RUNNING" else self.jobs[name]

    def stop(self, name: str) -> None:
        self.stopped.append(name)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The context of a run, of which there is another under way, on a cluster with room for five."""
    from am_assets.orchestration import tasks

    one = SimpleNamespace(run_id="0123456789", job_name="__ASSET_JOB")
    ray, said = Ray(), list[str]()
    context = SimpleNamespace(
        instance=SimpleNamespace(run_launcher=ray, get_runs=lambda _: [one, one]),
        run=one,
        log=SimpleNamespace(info=said.append, warning=said.append),
        asset_key=dg.AssetKey("math_verdicts"),
        partition_key="sums",
    )
    clock = SimpleNamespace(now=1.0)
    monkeypatch.setattr(dg.AssetExecutionContext, "get", lambda: context)
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(tasks, "LOOK_SECONDS", 3600.0)  # looks are those of the tests
    begun = tasks.Tasks("math", Launcher(ray="http://h:1", runs=5))

    begun.tend(0, 0)

    def look(left: int, a_second: float) -> None:
        """After ten seconds more, with so many rows left and so many measured a second."""
        clock.now += 10
        assert begun.tend(left, int(a_second * (clock.now - begun.began)))
        begun.look()

    yield SimpleNamespace(tasks=begun, ray=ray, said=said, look=look, clock=clock)
    begun.close()


def test_tasks_are_begun_where_they_are_worth_their_start_and_machines_have_room(run: Any) -> None:
    run.look(1_000, 10)
    assert not run.ray.jobs  # done in 100 s alone
    run.look(1_000, 5)
    assert len(run.ray.jobs) == 2
    for _ in range(3):
        run.look(100_000, 5)
    assert len(run.ray.jobs) == 3 and len([line for line in run.said if "was submitted" in line]) == 3
    first = next(iter(run.ray.jobs))
    run.clock.now += 300
    run.ray.jobs[first] = "SUCCEEDED"
    run.look(100_000, 5)
    assert len(run.ray.jobs) == 4  # another in the place of one that made room
    run.tasks.close()
    assert set(run.ray.stopped) == set(run.ray.jobs) - {first}


def test_no_task_is_begun_after_one_that_found_no_row_left(run: Any) -> None:
    run.look(1_000, 5)
    run.ray.jobs = dict.fromkeys(run.ray.jobs, "SUCCEEDED")
    for _ in range(3):
        run.look(1_000, 0.1)  # the last row takes this process long
    assert len(run.ray.jobs) == 2 and not run.tasks.under_way


def test_a_first_row_that_takes_long_is_not_waited_for(run: Any) -> None:
    run.tasks.tend(16, 1)
    run.tasks.look()
    assert not run.ray.jobs  # nothing is known yet
    run.clock.now += 30
    run.tasks.look()
    assert len(run.ray.jobs) == 3


def test_a_run_goes_on_by_itself_where_tasks_fail_or_ray_is_away(run: Any) -> None:
    run.ray.away = True
    run.look(100_000, 5)
    run.look(100_000, 5)
    assert run.said == ["no tasks are begun now: Ray is away"]
    run.ray.away = False
    for _ in range(4):
        run.look(100_000, 5)
        run.ray.jobs = dict.fromkeys(run.ray.jobs, "FAILED")
    assert len(run.ray.jobs) == 3 and not run.tasks.under_way
