"""Applies of one project at the same time: a partition has one run, and the files of the apply that began last hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from am_assets.orchestration.instance import prepare_environment
from am_assets.orchestration.resources import RECIPES_TAG
from am_assets.planning.elsewhere import Elsewhere, elsewhere
from am_assets.planning.staleness import Partition
from am_assets.planning.steps import Event, Lost, Outcome, Step
from am_assets.project import project as current
from am_assets.storage.shared.leases import Lease
from am_assets.storage.shared.versions import APPLY_TAG
from am_assets_tests.cluster.test_ray import Head
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.promised import without_postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, models: Models, address: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    try:
        import dagster_ray  # noqa: F401
    except ImportError:
        without_postgres("Ray is not here: pip install am-assets[ray]")
    monkeypatch.setenv("TEST_MODEL_KEY", "none")
    return small_project(tmp_path / "data", models, questions=6, shards=1, start_timeout=120)


@dataclass
class Applying:
    there: Elsewhere
    lease: Lease

    def tags(self) -> dict[str, str]:
        return self.there.turns.planned | {APPLY_TAG: str(self.there.turns.number), RECIPES_TAG: "plain"}

    def takes(self, at: Partition) -> list[Event]:
        """What it does of a partition in its turn."""
        return [*self.there._in_turn(at, set(), self.tags)]

    def made(self, at: Partition) -> Iterator[Event]:
        """Carry it out here, as a machine of the cluster does."""
        step = self.there.plan.own_cause(*at)
        assert step is not None
        yield from self.there.plan.executed(step, at[0], self.tags, set())


@pytest.fixture
def submits(project: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dg.DagsterInstance], Applying]]:
    """Begins an apply of what the files ask for now, with a lease of its own. What it submits stays in the queue."""
    monkeypatch.setenv("AM_DATA", str(project.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(project.folder / "instance"))
    monkeypatch.setattr("am_assets.planning.elsewhere.HEALTH_SECONDS", 0.0)
    monkeypatch.setattr("am_assets.orchestration.ray.RayLauncher.launch_run", lambda *_: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Head)
    Thread(target=server.serve_forever, daemon=True).start()
    project.write("cluster.yaml", {"launcher": {"ray": f"http://127.0.0.1:{server.server_port}"}})
    prepare_environment(project.folder / "instance")

    def begin(instance: dg.DagsterInstance) -> Applying:
        there = elsewhere(project.open(["plain"], "raw_pool", instance), current())
        database = current().database()
        assert there is not None and database is not None
        lease = Lease(database)
        there.turns.number = lease.id
        return Applying(there, lease)

    yield begin
    server.shutdown()
    server.server_close()


def test_applies_at_the_same_time_have_one_run_of_a_partition_and_the_later_ones_files_hold(
    project: Desk, submits: Callable[[dg.DagsterInstance], Applying]
) -> None:
    with project.instance() as instance:
        first, same = submits(instance), submits(instance)
        at = first.there.plan.keys[0], "tasks"
        with first.there.turns.turn(at) as ours, same.there.turns.turn(at) as theirs:
            assert ours and not theirs
        for one in (first, same):
            assert [type(event) for event in one.takes(at)] == [Step]
        (run,) = instance.get_runs()
        assert same.there.under_way[at].run == run.run_id and not same.there.ours()  # it is not its to end
        project.edit("plain", "dedup", threshold=0.9)
        edited = submits(instance)
        assert [type(event) for event in edited.takes(at)] == [Step] and len(instance.get_runs()) == 1
        assert [*edited.there.events()] == []  # it waits as long as somebody does
        first.lease.end()
        assert same.there.ours() and [*edited.there.events()] == []  # and ends what nobody waits for
        (lost,) = edited.there.events()
        assert isinstance(lost, Lost) and "was canceled" in lost.why and at in edited.there.todo
        made = [*edited.made(at)]
        assert isinstance(made[-1], Outcome) and made[-1].result == "done"
        project.rows("tasks", [{"question": "How many are 1 and 2?", "reference_answer": "3"}])
        told = [*same.takes(at)][-1]
        assert isinstance(told, Outcome) and "an apply that began later made it meanwhile" in told.error
        assert [type(event) for event in submits(instance).takes(at)] == [Step]  # what begins now, makes it
        edited.lease.end()
        same.lease.end()
