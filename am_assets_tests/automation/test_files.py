"""What an edited file moves: which roots are requested, and when the code location has to be loaded anew."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest
import yaml

from am_assets.config.recipe import SECTIONS
from am_assets.definitions import build_definitions
from am_assets.project import project
from am_assets_tests.desk import Desk

ROOTS = ["raw_pool", "benchmark_questions", "dedup_policy", "verification_policy"]


class Ui:
    """A UI's server that is asked to load the code location anew, and does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        ui = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                ui.asked.append(body["variables"]["name"])
                answer = json.dumps({"data": {"reloadRepositoryLocation": {"__typename": "WorkspaceLocationEntry"}}})
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class Looks:
    """The sensor on a project folder, look by look."""

    def __init__(self, desk: Desk, instance: dg.DagsterInstance):
        self.desk = desk
        self.instance = instance
        self.cursor: str | None = None
        self.load()

    def load(self) -> None:
        """As the code location is loaded anew."""
        project.cache_clear()
        self.definitions = build_definitions(project().begun)
        (self.sensor,) = [sensor for sensor in self.definitions.sensors or [] if sensor.name == "files"]

    def partitions(self, asset: str) -> list[str]:
        partitions = self.definitions.resolve_asset_graph().get(dg.AssetKey(asset)).partitions_def
        assert partitions is not None
        return list(partitions.get_partition_keys())

    def look(self) -> set[tuple[str, str]]:
        result = self.evaluate(last_sensor_start_time=1.0)
        self.cursor = result.cursor
        requests = result.run_requests or []
        return {
            (key.to_user_string(), request.partition_key) for request in requests for key in request.asset_selection
        }

    def evaluate(self, last_sensor_start_time: float | None = None) -> dg.SensorResult:
        """As the daemon does, which says when the sensor was started, or as a preview."""
        repository = self.definitions.get_repository_def()
        with dg.build_sensor_context(
            self.instance, self.cursor, repository_def=repository, last_sensor_start_time=last_sensor_start_time
        ) as context:
            return self.sensor(context)

    def make(self, requested: set[tuple[str, str]]) -> None:
        plan = self.desk.open(None, None)  # a run has a process of its own, which reads the files as they are then
        for asset, partition in requested:
            assert plan._run(dg.AssetKey(asset), partition, {}) == ""


@pytest.fixture
def ui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ui]:
    ui = Ui()
    monkeypatch.setenv("AM_UI_URL", ui.url)
    yield ui
    ui.server.shutdown()


@pytest.fixture
def looks(tmp_path, monkeypatch: pytest.MonkeyPatch, ui: Ui) -> Iterator[Looks]:
    monkeypatch.setenv("AM_DATA", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "instance"))
    monkeypatch.delenv("AM_SOURCES", raising=False)
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    with dg.DagsterInstance.get() as instance:
        looks = Looks(desk, instance)
        looks.make({(root, key) for root in ROOTS for key in looks.partitions(root)})
        yield looks


def test_the_first_look_requests_nothing_and_the_next_ones_only_after_an_edit(looks: Looks, ui: Ui) -> None:
    assert looks.look() == set()
    assert looks.look() == set()
    looks.desk.edit("plain", "dedup", threshold=0.9)
    edited = {("dedup_policy", "plain"), ("dedup_policy", "other")}  # `other` extends it
    assert looks.look() == edited
    assert looks.look() == set()
    looks.make(edited)
    looks.desk.edit("plain", "dedup", threshold=0.9)  # written again, the same
    assert looks.look() == set()
    assert ui.asked == []


def test_several_policies_of_a_recipe_are_one_run(looks: Looks) -> None:
    looks.look()
    looks.desk.edit("other", "dedup", threshold=0.9)
    looks.desk.edit("other", "verification", min_reward=0.75)
    with dg.build_sensor_context(looks.instance, looks.cursor) as context:
        (request,) = looks.sensor(context).run_requests
    assert {key.to_user_string() for key in request.asset_selection} == {"dedup_policy", "verification_policy"}


def test_a_changed_data_file_is_read_again_and_no_other_is(looks: Looks) -> None:
    looks.look()
    looks.desk.rows("open", [{"question": "Name a river.", "response": "<think>.</think> <answer>The Elbe.</answer>"}])
    assert looks.look() == {("raw_pool", "open")}
    looks.desk.rows("held_out", [{"question": "What is 1 plus 1?", "reference_answer": "2"}])
    assert looks.look() == {("raw_pool", "open"), ("benchmark_questions", "held_out")}


def test_an_adapter_that_reads_otherwise_since_an_upgrade_reads_its_files_again(looks: Looks, monkeypatch) -> None:
    from am_assets.datasets.adapters import ADAPTERS

    looks.look()
    monkeypatch.setitem(ADAPTERS, "math", replace(ADAPTERS["math"], version="next"))  # no file is read by it
    assert looks.look() == set()
    monkeypatch.setitem(ADAPTERS, "jsonl", replace(ADAPTERS["jsonl"], version="next"))
    assert looks.look() == {
        *(("raw_pool", source) for source in ("sums", "tasks", "open", "asked")),
        ("benchmark_questions", "held_out"),
    }


def test_a_data_file_that_is_gone_holds_up_nothing_else(looks: Looks) -> None:
    looks.look()
    (looks.desk.folder / "pool" / "open.jsonl").unlink()
    looks.desk.edit("other", "dedup", threshold=0.9)
    assert looks.look() == {("dedup_policy", "other")}


def test_a_new_source_and_a_new_recipe_are_loaded_and_then_requested(looks: Looks, ui: Ui) -> None:
    looks.look()
    looks.desk.add_source("more", [{"question": "What is 3 plus 3?", "reference_answer": "6"}])
    looks.desk.recipe("third", {"extends": "plain"})
    assert looks.look() == set()
    assert ui.asked == ["am_assets"]
    looks.load()
    requested = looks.look()
    assert ("raw_pool", "more") in requested
    assert {at for at in requested if at[0] != "raw_pool"} == {(f"{section}_policy", "third") for section in SECTIONS}
    assert looks.look() == set()
    assert ui.asked == ["am_assets"]


def test_a_preview_has_nothing_loaded_anew_and_the_next_look_has(looks: Looks, ui: Ui) -> None:
    looks.look()
    looks.desk.recipe("third", {"extends": "plain"})
    for _ in range(2):
        assert looks.evaluate().skip_reason.skip_message == "The code location is to be loaded anew."
    assert ui.asked == []
    looks.look()
    assert ui.asked == ["am_assets"]


def test_another_instrument_has_the_code_location_loaded(looks: Looks, ui: Ui) -> None:
    looks.look()
    instruments = (looks.desk.folder / "instruments.yaml").read_text()
    (looks.desk.folder / "instruments.yaml").write_text(instruments + "math: {timeout_seconds: 7}\n")
    assert looks.look() == set()
    assert ui.asked == ["am_assets"]


def test_what_is_excluded_is_taken_out_of_every_shard_and_the_code_location_loaded(looks: Looks, ui: Ui) -> None:
    looks.look()
    (looks.desk.folder / "exclude.txt").write_text("Plan a quiet Sunday\n")
    assert looks.look() == {("raw_pool", source) for source in looks.desk.sources()}
    assert ui.asked
    assert looks.look() == set()


def test_where_the_ui_cannot_be_reached_it_is_tried_again(looks: Looks, ui: Ui, monkeypatch) -> None:
    looks.look()
    monkeypatch.setenv("AM_UI_URL", "http://127.0.0.1:1")
    looks.desk.recipe("third", {"extends": "plain"})
    looks.look()
    monkeypatch.setenv("AM_UI_URL", ui.url)
    looks.look()
    assert ui.asked == ["am_assets"]


def test_a_file_at_fault_fails_the_look_by_its_name_and_what_was_read_before_stands(looks: Looks) -> None:
    from am_assets.config.files import ConfigError

    looks.look()
    before = looks.cursor
    sources = yaml.safe_load((looks.desk.folder / "sources.yaml").read_text())
    looks.desk.write("sources.yaml", {"sums": {"location": "pool/sums.jsonl", "adaptor": "jsonl"}})
    with pytest.raises(ConfigError, match=r"sources.yaml: sums: adaptor"):
        looks.look()
    assert looks.cursor == before
    looks.desk.write("sources.yaml", sources)
    assert looks.look() == set()


def test_a_broken_recipe_is_loaded_as_such_and_holds_up_no_other(looks: Looks, ui: Ui) -> None:
    looks.look()
    looks.desk.edit("other", "dedup", treshold=0.9)
    looks.desk.edit("plain", "dedup", threshold=0.9)
    assert looks.look() == {("dedup_policy", "plain")}
    assert ui.asked == ["am_assets"]
    looks.load()
    assert looks.look() == set()
    looks.desk.recipe("other", {"extends": "plain"})
    assert ("dedup_policy", "other") in looks.look()


def test_what_lies_on_a_hub_is_never_fetched_by_itself(looks: Looks) -> None:
    looks.look()
    sources = yaml.safe_load((looks.desk.folder / "sources.yaml").read_text())
    hub = {"location": "hf://datasets/a/b/c.jsonl", "adapter": "jsonl", "rank": 9}
    looks.desk.write("sources.yaml", {**sources, "large": hub})
    looks.look()
    looks.load()
    assert looks.look() == set()


def test_an_experiment_is_loaded_once_it_is_begun_and_nothing_of_it_requested(looks: Looks, ui: Ui) -> None:
    looks.look()
    (looks.desk.folder / "experiments").mkdir()
    experiment = {"question": "?", "base": "plain", "variants": {"all": None, "few": {"sampling": {"share": 0.5}}}}
    looks.desk.write("experiments/size.yaml", experiment)
    assert looks.look() == set() and ui.asked == []
    looks.load()
    assert looks.partitions("dedup_policy") == ["other", "plain"] and looks.partitions("experiment_report") == []
    looks.make({("dedup_policy", "size--few")})
    assert looks.look() == set() and len(ui.asked) == 1
    looks.load()
    assert looks.partitions("dedup_policy") == ["other", "plain", "size--all", "size--few"]
    assert looks.partitions("experiment_report") == ["size"]
    assert looks.look() == set()
    experiment["variants"] = {"all": None, "few": {"sampling": {"shaer": 0.5}}}  # at fault, and the variant stays
    looks.desk.write("experiments/size.yaml", experiment)
    looks.desk.edit("plain", "dedup", threshold=0.9)
    assert looks.look() == {("dedup_policy", "plain"), ("dedup_policy", "other")}
