"""A preview by clicks: what a tick would do is shown, and nothing is changed, started or told."""

from collections.abc import Iterator

import pytest

from am_assets_tests.automation.hooks import Webhook
from am_assets_tests.desk import Desk
from am_assets_tests.services import Services, serving, settle, until
from am_assets_tests.ui.browser import Browser, browsing

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LAUNCHED = """{ partitionBackfillsOrError { ... on PartitionBackfills { results { id tags { key value } } } }
    runsOrError { ... on Runs { results { id } } } }"""
LOADED = """{ workspaceOrError { ... on Workspace { locationEntries { updatedTimestamp } } } }"""


@pytest.fixture(scope="module")
def evening(browser_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Services, Browser]]:
    """A project of which nothing was made, whose models do not answer."""
    desk = Desk(tmp_path_factory.mktemp("evening"))
    desk.write_project("http://127.0.0.1:1/v1")
    settle(desk.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MODEL_KEY", "none")
        with serving(desk.folder) as services, browsing(services.url) as browser:
            yield desk, services, browser


def preview(browser: Browser, path: str) -> None:
    browser.open(f"/locations/am_assets/{path}")
    browser.click("Preview tick result", of="button")
    browser.click("Continue", of="button")


def launched(services: Services) -> tuple[list[dict], list[dict]]:
    found = services.ask(LAUNCHED)
    return found["partitionBackfillsOrError"]["results"], found["runsOrError"]["results"]


def test_the_preview_of_the_schedule_launches_nothing_and_its_button_one_backfill(evening) -> None:
    desk, services, browser = evening
    preview(browser, "schedules/fill_evidence")
    browser.see("Skipped")
    assert "schedule.yaml: recipes: name them" in browser.text()
    desk.write("schedule.yaml", {"recipes": ["plain"]})
    for _ in range(2):
        preview(browser, "schedules/fill_evidence")
        browser.see("1 run requests")
        assert launched(services) == ([], [])
    browser.click("Launch all", of="button")
    backfills, _ = until(lambda: found if (found := launched(services))[0] else None, "a backfill")
    assert len(backfills) == 1
    tags = {tag["key"]: tag["value"] for tag in backfills[0]["tags"]}
    assert (tags["am/filled_by"], tags["am/recipes"], tags["am/budget_usd"]) == ("fill_evidence", "plain", "0.000000")
    browser.open(f"/runs/b/{backfills[0]['id']}")
    browser.see("question_embeddings")


def test_the_previews_of_the_sensors_have_nothing_loaded_anew_and_tell_nobody(evening) -> None:
    desk, services, browser = evening
    hook = Webhook()
    desk.write("alerts.yaml", {"urls": [hook.url], "ui": services.url})
    desk.recipe("third", {"extends": "plain"})
    before = services.ask(LOADED)
    preview(browser, "sensors/files")
    browser.see("Skipped")
    assert "The code location is to be loaded anew." in browser.text()
    preview(browser, "sensors/alerts")
    browser.see("Skipped")
    assert "open: " in browser.text()
    preview(browser, "sensors/lost_retries")
    browser.see("Skipped")
    assert "lost" in browser.text()
    assert services.ask(LOADED) == before
    assert hook.received == []
    hook.server.shutdown()
