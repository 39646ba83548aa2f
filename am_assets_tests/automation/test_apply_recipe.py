"""The job `apply_recipe`, launched as the UI launches it: does what `am apply` does, refuses what it refuses, ends."""

import time
from collections.abc import Iterator

import dagster as dg
import psutil
import pytest

from am_assets_tests.desk import MODEL, Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import Services, serving, settle, until

LAUNCH = """mutation($config: RunConfigData!) { launchRun(executionParams: { runConfigData: $config, selector: {
    repositoryName: "__repository__", repositoryLocationName: "am_assets", jobName: "apply_recipe" } }) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename ... on PythonError { message } } }"
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
UNPRICED = {"input_price": 1, "output_price": 1}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Services, Teacher]]:
    teacher = Teacher(lambda *_: answer("<think>Nine and four.</think> <answer>\\boxed{13}</answer>"))
    desk = Desk(tmp_path_factory.mktemp("job"))
    desk.write_project(teacher.url)
    settle(desk.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MODEL_KEY", "none")
        with serving(desk.folder) as services:
            yield desk, services, teacher
    teacher.stop()


def launch(services: Services, **config: object) -> str:
    said = services.ask(LAUNCH, config={"ops": {"apply": {"config": config}}})["launchRun"]
    return said["run"]["runId"]


def ended(desk: Desk, run_id: str) -> tuple[str, list[str]]:
    """How a run ended, and what its log says."""
    with dg.DagsterInstance.from_config(str(desk.folder / "instance")) as instance:

        def status() -> str:
            run = instance.get_run_by_id(run_id)
            assert run
            return run.status.value if run.status.value in ENDED else ""

        return until(status, "the run ended"), [entry.user_message for entry in instance.all_logs(run_id)]


def runs_of(desk: Desk, run_id: str) -> list[dg.DagsterRun]:
    with dg.DagsterInstance.from_config(str(desk.folder / "instance")) as instance:
        return list(instance.get_runs(dg.RunsFilter(tags={"am/applied_by": run_id})))


@pytest.mark.slow
def test_a_recipe_is_applied_in_order_once_and_its_runs_say_what_they_are_of(site) -> None:
    desk, services, _ = site
    first = launch(services, recipe="plain", selection="+deduped_set")
    assert services.ask("{ runsOrError { ... on Runs { results { id } } } }")
    status, log = ended(desk, first)
    assert status == "SUCCESS", log
    places = [line.partition("]")[0] for line in log if line.startswith("[")]
    assert (
        places[0].startswith("[1/") and places[-1] == f"[{places[-1].partition('/')[2]}/{places[-1].partition('/')[2]}"
    )
    tags = {run.tags["am/asset"]: run.tags for run in runs_of(desk, first)}
    assert (tags["deduped_set"]["recipe"], tags["deduped_set"]["user"]) == ("plain", "apply_recipe")
    assert tags["raw_pool"]["shard"] in {"sums", "tasks", "open", "asked"} and "recipe" not in tags["raw_pool"]
    status, log = ended(desk, second := launch(services, recipe="plain", selection="+deduped_set"))
    assert status == "SUCCESS" and "All is up to date." in log
    assert runs_of(desk, second) == []


@pytest.mark.slow
def test_what_costs_is_refused_before_anything_is_begun_in_the_words_of_the_command(site) -> None:
    desk, services, teacher = site
    desk.write("endpoints.yaml", {MODEL: {"api_base": teacher.url, "api_key_env": "TEST_MODEL_KEY", **UNPRICED}})
    before = len(teacher.asked)
    status, log = ended(desk, run := launch(services, recipe="other", selection="+teacher_requests or responses"))
    assert status == "FAILURE"
    assert any("nothing was asked: what it may cost has to be named, as in budget: 0." in line for line in log), log
    assert runs_of(desk, run) == [] and len(teacher.asked) == before
    status, log = ended(desk, launch(services, recipe="othr"))
    assert status == "FAILURE" and any("no recipe othr" in line for line in log), log
    desk.write_endpoints(teacher.url)


@pytest.mark.slow
def test_a_terminated_apply_ends_within_ten_seconds_with_its_partition_canceled(site) -> None:
    desk, services, teacher = site

    def slowly(*_: object) -> Reply:
        reply = answer("<think>Slow.</think> <answer>\\boxed{1}</answer>")
        reply.seconds = 60
        return reply

    teacher.script = slowly
    desk.add_source("late", [{"question": f"What is {n} plus {n}?", "reference_answer": str(2 * n)} for n in range(9)])
    services.kill("code")
    services.start("code")
    before = len(teacher.asked)
    run = launch(services, recipe="plain", selection="+question_labels")
    until(lambda: len(teacher.asked) > before, "the model is asked")
    began = time.monotonic()
    services.ask(TERMINATE, id=run)
    status, _ = ended(desk, run)
    until(lambda: services.runs() == [], "the process of the run is gone", seconds=30)
    assert time.monotonic() - began < 10
    assert status == "CANCELED"
    assert {one.status.value for one in runs_of(desk, run)} <= {"SUCCESS", "CANCELED"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["daemon", "webserver", "code"])
def test_a_service_and_all_it_started_ends_within_ten_seconds_of_sigterm(site, name: str) -> None:
    _, services, _ = site
    service = psutil.Process(services.running[name].pid)
    every = [service, *service.children(recursive=True)]
    began = time.monotonic()
    service.terminate()
    _, left = psutil.wait_procs(every, 30)
    assert time.monotonic() - began < 10
    assert left == []
