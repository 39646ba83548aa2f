"""`make ui` as it is started: the job `apply_recipe` by the UI's own door, and the end of every process by SIGTERM."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from am_assets_tests.desk import MODEL, Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import ROOT, Services, command_of, settle, until

pytestmark = [pytest.mark.slow, pytest.mark.alone]
LAUNCH = """mutation($config: RunConfigData!) { launchPipelineExecution(executionParams: {runConfigData: $config,
    selector: {repositoryLocationName: "am_assets", repositoryName: "__repository__", pipelineName: "apply_recipe"}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
TERMINATE = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"
STATE = """query($run: ID!) { runOrError(runId: $run) { ... on Run { status
    eventConnection { events {
    ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message cause { message } } } } }
    } } }"""
MADE = """query($run: String!) { runsOrError(filter: {tags: [{key: "am/applied_by", value: $run}]}) { ... on Runs {
    results { status tags { key value } } } } }"""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
ENDED_SECONDS = 10  # that a service has after SIGTERM
LABELS = "raw_pool or question_labels"
SLOW = 120  # seconds that the model takes to answer
LABEL = answer(json.dumps({"category": "math", "difficulty": "easy"})).body


class Served(Services):
    """The project of a desk behind `make ui`, whose teacher is slow."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.teacher = Teacher(lambda *_: Reply(body=LABEL, seconds=SLOW))
        desk = Desk(folder)
        desk.write_project(self.teacher.url)
        priced = {"input_price": 1, "output_price": 1}
        desk.write("endpoints.yaml", {MODEL: {"api_base": self.teacher.url, "api_key_env": "TEST_MODEL_KEY", **priced}})
        settle(folder)
        target = ["-w", str(ROOT / "workspace.yaml"), "-p", str(self.ports["webserver"])]
        self.running["ui"] = self._spawn("ui", [sys.executable, "-m", "am_assets.orchestration.ui", *target])
        until(self.knows_the_graph, "the webserver knows the graph")
        self.stop_sensors()

    @property
    def process(self) -> subprocess.Popen:
        return self.running["ui"]

    def launch(self, **config: object) -> str:
        launched = self.ask(LAUNCH, config={"ops": {"apply": {"config": config}}})["launchPipelineExecution"]
        return launched["run"]["runId"]

    def asking(self) -> str:
        """A job under way, whose model was asked and does not answer yet."""
        asked, run = len(self.teacher.asked), self.launch(recipe="plain", selection=LABELS, budget=1.0)
        until(lambda: len(self.teacher.asked) > asked or self.state(run)["status"] in ENDED, "the model is asked")
        assert len(self.teacher.asked) > asked, self.ended(run)
        return run

    def state(self, run: str) -> dict:
        return self.ask(STATE, run=run)["runOrError"]

    def ended(self, run: str) -> tuple[str, str]:
        """The status of a run and what it told."""
        state = until(lambda: (now := self.state(run))["status"] in ENDED and now, "the run ended")
        return state["status"], json.dumps(state)

    def made(self, run: str) -> list[tuple[str, str]]:
        """The assets that an apply made, in order, and the status of their runs."""
        runs = self.ask(MADE, run=run)["runsOrError"]["results"]
        tags = [({tag["key"]: tag["value"] for tag in one["tags"]}, one["status"]) for one in reversed(runs)]
        return [(of["am/asset"], status) for of, status in tags]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MODEL_KEY", "none")
        served = Served(tmp_path_factory.mktemp("served"))
        try:
            yield served
        finally:
            if "ui" in served.running:
                served.end("ui")
            served.teacher.stop()


def test_the_daemon_is_the_one_that_looks_after_backfills_often(served: Served) -> None:
    below = [command_of(process) for process in psutil.Process(served.process.pid).children(recursive=True)]
    assert any("am_assets.orchestration.daemon" in command for command in below)


def test_the_job_brings_a_recipe_up_to_date_in_order(served: Served) -> None:
    run = served.launch(recipe="plain", selection="raw_pool or dedup_policy")
    assert served.ended(run)[0] == "SUCCESS"
    assert sorted(served.made(run)) == [("dedup_policy", "SUCCESS"), *[("raw_pool", "SUCCESS")] * 4]
    assert served.made(served.launch(recipe="plain", selection="raw_pool or dedup_policy")) == []


def test_what_costs_is_refused_without_a_budget(served: Served) -> None:
    status, told = served.ended(served.launch(recipe="plain", selection="question_labels"))
    assert status == "FAILURE" and "has to be named, as in budget: 0." in told and served.teacher.asked == []


def test_with_a_budget_it_asks_and_ends_within_ten_seconds_of_its_termination(served: Served) -> None:
    run = served.asking()
    began = time.monotonic()
    served.ask(TERMINATE, run=run)
    assert served.ended(run)[0] == "CANCELED"
    assert time.monotonic() - began < ENDED_SECONDS
    assert served.made(run)[-1] == ("question_labels", "CANCELED")


def test_sigterm_ends_it_all_within_ten_seconds_also_while_a_job_asks_a_model(served: Served) -> None:
    served.asking()
    process = served.process
    assert served.end("ui") < ENDED_SECONDS
    assert process.returncode == 128 + signal.SIGTERM


def test_sigterm_ends_each_service_within_ten_seconds(served: Served) -> None:
    services = Services(served.folder)
    try:
        services.start()
        took = {name: services.end(name) for name in ("webserver", "daemon", "code")}
    finally:
        for name in list(services.running):
            services.kill(name)
    assert max(took.values()) < ENDED_SECONDS, took
