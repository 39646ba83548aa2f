"""What another recipe asks for, by the command or by clicks, leaves no mark on the pages of one that was released.

After `test_browser.py`, whose recipe `other` was never made.
"""

from collections.abc import Iterator

import polars as pl
import pytest

from am_assets_tests.desk import Desk
from am_assets_tests.services import Services, am, until
from am_assets_tests.ui.browser import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DECIDED = ["verified_set", "sft_dataset", "recipe_report"]
FOLLOWING = ["decisions_follow", "free_evidence_follows"]
AT = 'repositoryName: "__repository__", repositoryLocationName: "am_assets", sensorName: $name'
START = f"mutation($name: String!) {{ startSensor(sensorSelector: {{{AT}}}) {{ ... on PythonError {{ message }} }} }}"
TICKS = f"""query($name: String!) {{ sensorOrError(sensorSelector: {{{AT}}}) {{ ... on Sensor {{
    sensorState {{ ticks(limit: 1) {{ status }} }} }} }} }}"""


def unsynced(browser: Browser, asset: str, recipe: str = "plain") -> bool:
    """What the page of a recipe's partition says."""
    browser.open(f"/assets/{asset}?view=partitions&partition={recipe}")
    browser.see("Materialized")
    browser.settle()
    return "Unsynced" in browser.text()


@pytest.fixture
def following(site: tuple) -> Iterator[None]:
    """The sensors by which decisions and free evidence follow are on during the test, and each looked once before."""
    _, services = site
    for sensor in FOLLOWING:
        services.ask(START, name=sensor)
    for sensor in FOLLOWING:
        until(lambda name=sensor: _looked(services, name), f"{sensor} looked")
    yield
    services.stop_sensors()


def _answers(desk: Desk) -> int:
    return pl.scan_parquet(desk.folder / "assets" / "responses" / "*.parquet").select(pl.len()).collect().item()


def _looked(services: Services, sensor: str) -> bool:
    ticks = services.ask(TICKS, name=sensor)["sensorOrError"]["sensorState"]["ticks"]
    return bool(ticks) and ticks[0]["status"] in ("SUCCESS", "SKIPPED")


def test_after_an_apply_of_another_recipe_the_released_one_is_in_sync(browser: Browser, site: tuple) -> None:
    desk, _ = site
    desk.edit("other", "teacher", samples=2)
    made = am(desk.folder, "apply", "-r", "other", "-s", "+sft_dataset")
    assert made.returncode == 0, made.stdout + made.stderr
    assert not any(unsynced(browser, asset) for asset in DECIDED)
    desk.edit("other", "verification", min_reward=0.3)
    am(desk.folder, "apply", "-r", "other", "-s", "verification_policy")
    assert unsynced(browser, "verified_set", "other")


def test_after_clicks_for_another_recipe_the_released_one_comes_into_sync_by_itself(
    browser: Browser, site: tuple, following: None
) -> None:
    desk, _ = site
    desk.edit("other", "teacher", samples=3)
    made = am(desk.folder, "apply", "-r", "other", "-s", "+teacher_requests")
    assert made.returncode == 0, made.stdout + made.stderr
    before = _answers(desk)
    browser.open("/assets/responses?view=partitions")
    browser.click("Materialize", of="button")
    browser.click("All", of="button")
    browser.click("Launch", of="button")
    until(lambda: _answers(desk) > before, "the answers came")
    for asset in DECIDED[:2]:  # a report without scores, as this one is, waits for them
        until(lambda name=asset: not unsynced(browser, name), f"{asset} of the released recipe is in sync")
