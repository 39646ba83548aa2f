"""Who is told of what, how often, and what becomes of a message that does not get through."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.test_utils import create_run_for_test

from am_assets.automation.alerts import Alerts, deliver, load_alerts, masked
from am_assets.automation.backfill import FILL
from am_assets.automation.watch import alerts, collect_and_save, load, save
from am_assets.project import Live, project
from am_assets_tests.automation.hooks import Webhook

DATA = Path(__file__).parents[2] / "data"
RECIPES = dg.StaticPartitionsDefinition(["plain", "other"])
RATE = {"pass": 0.8, "least": 0.5}


@dg.asset(partitions_def=RECIPES)
def verified(context: dg.AssetExecutionContext) -> None:
    if RATE["pass"] < 0:
        raise ValueError("The budget of $5.0000 is reached: $4.9990 spent, the next may cost $0.0100")


@dg.asset_check(asset=verified, partitions_def=RECIPES)
def pass_rate() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=RATE["pass"] >= RATE["least"], metadata={"pass_rate": RATE["pass"], "threshold": RATE["least"]}
    )


@dg.asset_check(asset=verified, partitions_def=RECIPES)
def drift() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=RATE["pass"] != 0.7, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=verified, partitions_def=RECIPES, blocking=True)
def not_empty() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=RATE["pass"] > 0, metadata={"kept": 0})


class Watch:
    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.hook = Webhook()
        self.rules = Alerts(urls=[self.hook.url], ui="http://ui")
        self.logged: list[str] = []
        self.look()

    def look(self) -> list[str]:
        """The titles that arrive by looking now."""
        before = len(self.hook.received)
        ledger = collect_and_save(DATA, self.instance, self.rules, time.time())
        deliver(ledger, self.rules, lambda: save(self.instance, ledger), self.logged.append)
        return self.hook.titles[before:]

    def run(self, rate: float, partition: str = "plain") -> None:
        RATE["pass"] = rate
        assets = [verified, pass_rate, drift, not_empty]
        dg.materialize(assets, partition_key=partition, instance=self.instance, raise_on_error=False)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        watch = Watch(instance)
        yield watch
        watch.hook.server.shutdown()


def test_a_failed_check_is_told_once_with_partition_figure_threshold_and_link(watch: Watch) -> None:
    watch.run(0.8)
    assert watch.look() == []
    watch.run(0.42)
    assert watch.look() == ["verified[plain]: check pass_rate failed"]
    message = watch.hook.received[-1]["message"]
    for said in ("asset: verified", "partition: plain", "pass_rate: 0.42", "threshold: 0.5"):
        assert said in message
    assert "http://ui/assets/verified?view=partitions&partition=" in message
    watch.run(0.42)
    assert watch.look() == []


def test_it_is_told_again_when_the_figure_changes_and_once_more_when_it_passes(watch: Watch) -> None:
    watch.run(0.42)
    watch.run(0.3)
    assert watch.look() == ["verified[plain]: check pass_rate failed"] * 2
    watch.run(0.9)
    assert watch.look() == ["Recovered: verified[plain]: check pass_rate"]
    watch.run(0.9)
    assert watch.look() == []


def test_each_partition_is_an_incident_of_its_own(watch: Watch) -> None:
    watch.run(0.4)
    watch.run(0.4, "other")
    assert watch.look() == ["verified[plain]: check pass_rate failed", "verified[other]: check pass_rate failed"]


def test_a_blocking_check_that_fails_its_run_is_one_incident(watch: Watch) -> None:
    watch.run(0.0)
    assert sorted(watch.look()) == [
        "verified[plain]: check not_empty failed",
        "verified[plain]: check pass_rate failed",
    ]


def test_a_run_that_failed_and_a_budget_that_is_reached_are_told_with_their_words(watch: Watch) -> None:
    watch.run(-1)
    assert watch.look() == ["verified[plain]: budget reached"]
    message = watch.hook.received[-1]["message"]
    assert "The budget of $5.0000 is reached" in message
    assert "http://ui/runs/" in message
    assert "http://ui/assets/verified?view=partitions&partition=plain" in message
    watch.run(0.9)
    assert watch.look() == ["Recovered: verified[plain]"]


def test_a_job_without_partitions_that_failed_is_told_by_its_name(watch: Watch) -> None:
    faults = ["The disk is full"]

    @dg.op
    def launch_backfill() -> None:
        if faults:
            raise OSError(faults[0])

    @dg.job
    def fill_evidence() -> None:
        launch_backfill()

    fill_evidence.execute_in_process(instance=watch.instance, raise_on_error=False)
    assert watch.look() == ["launch_backfill failed"]
    watch.instance.report_run_failed(create_run_for_test(watch.instance, job_name="fill_evidence"))  # its process died
    assert watch.look() == ["fill_evidence failed"]
    faults.clear()
    fill_evidence.execute_in_process(instance=watch.instance)
    assert watch.look() == ["Recovered: launch_backfill", "Recovered: fill_evidence"]


def test_an_address_for_errors_hears_of_no_warning_and_not_of_its_end(watch: Watch) -> None:
    watch.rules = Alerts(errors_only=[watch.hook.url])
    watch.run(0.7)
    watch.run(0.9)
    assert watch.look() == []
    watch.run(0.1)
    assert watch.look() == ["verified[plain]: check pass_rate failed"]


def test_an_address_that_fails_loses_no_message_and_fails_no_look(watch: Watch) -> None:
    watch.hook.refuses = True
    watch.run(0.4)
    watch.run(0.9)
    assert watch.look() == []
    assert "tried again at the next look" in watch.logged[0]
    assert "secret" not in "".join(watch.logged)
    watch.hook.refuses = False
    assert watch.look() == ["verified[plain]: check pass_rate failed", "Recovered: verified[plain]: check pass_rate"]
    assert watch.look() == []


@pytest.mark.slow
def test_an_address_that_answers_late_is_told_once(watch: Watch) -> None:
    watch.hook.seconds = 5
    watch.run(0.4)
    assert watch.look() == ["verified[plain]: check pass_rate failed"]
    assert watch.look() == [] and not watch.logged


def test_one_dead_address_holds_up_no_other_and_repeats_nothing_there(watch: Watch) -> None:
    watch.rules = Alerts(urls=["json://127.0.0.1:1/dead", watch.hook.url])
    watch.run(0.4)
    assert watch.look() == ["verified[plain]: check pass_rate failed"]
    assert watch.look() == []
    assert len(load(watch.instance).outbox) == 1


def test_a_crash_after_the_look_loses_nothing(watch: Watch) -> None:
    watch.run(0.4)
    collect_and_save(DATA, watch.instance, watch.rules, time.time())  # and no delivery
    assert watch.look() == ["verified[plain]: check pass_rate failed"]


def test_a_preview_says_what_a_look_would_find_and_tells_nobody(watch: Watch, monkeypatch) -> None:
    monkeypatch.setenv("AM_ALERT_URLS", watch.hook.url)
    watch.run(0.4)
    before = load(watch.instance)
    said = "open: 1 incident; to be delivered: 1 message"
    sensor = alerts(Live(project()))
    with dg.build_sensor_context(watch.instance) as context:
        assert sensor(context).skip_message == said
    assert (load(watch.instance), watch.hook.received) == (before, [])
    with dg.build_sensor_context(watch.instance, last_sensor_start_time=1.0) as context:
        sensor(context)
    assert watch.hook.titles == ["verified[plain]: check pass_rate failed"]


def test_no_secret_is_shown_or_stored(watch: Watch) -> None:
    watch.run(0.4)
    watch.hook.refuses = True
    watch.look()
    assert "secret" not in load(watch.instance).to_json()
    assert "secret" not in masked("json://user:secret@example.org/hook?token=secret")
    assert "secret" not in masked("nonsense://secret")
    assert "T0K3N" not in masked("slack://T0K3NAAAA/BT0K3NBBB/cT0K3NcT0K3NcT0K3NcT0K3N")


def test_addresses_come_from_the_file_and_the_environment(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alerts.yaml").write_text("urls: ['json://$HOST/a']\nui: https://dagster.example.org/\n")
    monkeypatch.setenv("HOST", "example.org")
    monkeypatch.setenv("AM_ALERT_URLS", "json://b/  json://c/")
    monkeypatch.delenv("AM_UI_URL", raising=False)
    alerts = load_alerts(tmp_path)
    assert {*alerts.recipients(warning=True).values()} == {"json://example.org/a", "json://b/", "json://c/"}
    assert alerts.ui == "https://dagster.example.org"


def test_a_schedule_that_is_switched_on_and_did_not_run_is_told_and_its_next_run_too(watch: Watch) -> None:
    location = RegisteredCodeLocationOrigin("am_assets")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), FILL)
    since = ScheduleInstigatorData("*/30 0-5 * * *", start_timestamp=0.0)
    state = watch.instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, since)
    )
    assert watch.look() == [f"schedule {FILL} missed"]
    assert watch.look() == []
    watch.instance.create_tick(
        TickData(
            state.instigator_origin_id, FILL, InstigatorType.SCHEDULE, TickStatus.SKIPPED, time.time(),
            selector_id=state.selector_id,
        )
    )  # fmt: skip
    assert watch.look() == [f"Recovered: schedule {FILL}"]
