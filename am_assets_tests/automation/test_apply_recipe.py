"""The job `apply_recipe` by Dagster's own door: does what `am apply` does, refuses what it refuses, ends when told."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import pytest
import yaml

from am_assets_tests.desk import MODEL, Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import ROOT, environment, until

PRICED = {"input_price": 1, "output_price": 1}
FREE = "raw_pool or dedup_policy"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Teacher]]:
    def slowly(*_: object) -> Reply:
        reply = answer("<think>Slow.</think> <answer>\\boxed{1}</answer>")
        reply.seconds = 120
        return reply

    teacher = Teacher(slowly)
    desk = Desk(tmp_path_factory.mktemp("job"))
    desk.write_project(teacher.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MODEL_KEY", "none")
        yield desk, teacher
    teacher.stop()


def launch(desk: Desk, **config: object) -> subprocess.Popen:
    file = desk.folder / "config.yaml"
    file.write_text(yaml.safe_dump({"ops": {"apply": {"config": config}}}))
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "job", "execute", "-m", "am_assets.definitions"]
    command += ["-d", str(ROOT), "-j", "apply_recipe", "-c", str(file)]
    with (desk.folder / "job.log").open("w") as log:
        return subprocess.Popen(command, env=environment(desk.folder), stdout=log, stderr=log, cwd=ROOT)


def runs(desk: Desk) -> tuple[dg.DagsterRun, list[dg.DagsterRun], str]:
    """The last run of the job, those that it launched, and what its log says."""
    with desk.instance() as instance:
        (last,) = instance.get_runs(dg.RunsFilter(job_name="apply_recipe"), limit=1)
        made = list(instance.get_runs(dg.RunsFilter(tags={"am/applied_by": last.run_id})))
        log = "\n".join(entry.user_message for entry in instance.all_logs(last.run_id))
        failures = [entry.get_dagster_event() for entry in instance.all_logs(last.run_id) if entry.is_dagster_event]
        causes = [str(event.step_failure_data.error) for event in failures if event.is_step_failure]
    return last, made, "\n".join([log, *causes])


def test_a_recipe_is_applied_in_order_once_and_its_runs_say_what_they_are_of(site) -> None:
    desk, _ = site
    launch(desk, recipe="plain", selection=FREE).wait(300)
    job, made, log = runs(desk)
    assert job.status == dg.DagsterRunStatus.SUCCESS, log
    assert job.tags["recipe"] == "plain"
    places = [line.partition("]")[0] for line in log.splitlines() if line.startswith("[")]
    assert places == [f"[{place}/5" for place in range(1, 6) for _ in ("begun", "ended")]
    tags = {run.tags["am/asset"]: run.tags for run in made}
    assert (tags["dedup_policy"]["recipe"], tags["dedup_policy"]["user"]) == ("plain", "apply_recipe")
    assert tags["raw_pool"]["shard"] in desk.sources() and "recipe" not in tags["raw_pool"]
    launch(desk, recipe="plain", selection=FREE).wait(300)
    again, made, log = runs(desk)
    assert again.run_id != job.run_id and "All is up to date." in log
    assert made == []


def test_what_costs_is_refused_before_anything_is_begun_in_the_words_of_the_command(site) -> None:
    desk, teacher = site
    desk.write("endpoints.yaml", {MODEL: {"api_base": teacher.url, "api_key_env": "TEST_MODEL_KEY", **PRICED}})
    launch(desk, recipe="other", selection="question_labels").wait(300)
    job, made, log = runs(desk)
    assert job.status == dg.DagsterRunStatus.FAILURE
    assert "nothing was asked: what it may cost has to be named, as in budget: 0." in log
    assert made == [] and teacher.asked == []
    desk.write_endpoints(teacher.url)


def test_a_terminated_apply_ends_within_ten_seconds_with_its_partition_canceled(site) -> None:
    desk, teacher = site
    running = launch(desk, recipe="plain", selection="question_labels")
    until(lambda: teacher.asked or running.poll() is not None, "the model is asked")
    assert teacher.asked, runs(desk)
    with desk.instance() as instance:  # as the UI's terminate does before it interrupts the process
        instance.report_run_canceling(runs(desk)[0])
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    running.wait(60)
    assert time.monotonic() - began < 10
    job, made, log = runs(desk)
    assert [run.status for run in made] == [dg.DagsterRunStatus.CANCELED], log
    assert job.status in (dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.CANCELING), log
