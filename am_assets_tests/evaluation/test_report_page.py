"""A recipe's page in a browser: folds, light and dark, a phone's width, and texts that try to be more than text.

Needs Chromium and its driver (Debian: chromium, chromium-driver). Skipped where there is none, a failure where
`AM_REQUIRE_BROWSER` is set.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets.evaluation.page import page
from am_assets_tests.evaluation.findings import HOSTILE, findings, without_results

pytestmark = pytest.mark.slow
SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever the page asks for, no name is looked up
]
# The contrast of an element's text against the first background below it that is not transparent, by WCAG 2.
CONTRAST = """
const channels = css => css.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const under = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll(arguments[0])].map(element => {
  const style = getComputedStyle(element);
  const ink = luminance(channels(element instanceof SVGElement ? style.fill : style.color));
  const paper = luminance(under(element));
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
});
"""
TEXTS = "body, h1, h2, p, .note, a, th, td, dt, dd, summary, summary small, pre, article header, .missing li, svg text"


@pytest.fixture(scope="module")
def browser() -> Iterator:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        said = "no chromium and chromedriver on the path (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("AM_REQUIRE_BROWSER"):
            pytest.fail(said)
        pytest.skip(said)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("pages")
    (written / "full.html").write_text(page("demo", findings()), encoding="utf-8")
    (written / "empty.html").write_text(page("demo", without_results(findings())), encoding="utf-8")
    return written


@pytest.fixture
def shown(browser, folder: Path):
    """Opens one of the pages under a colour scheme and a width."""

    def show(name: str = "full", scheme: str = "light", width: int = 1200):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get((folder / f"{name}.html").as_uri())
        return browser

    return show


def requested(browser) -> set[str]:
    """The addresses that were asked for since the log was last read."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}


@pytest.mark.parametrize("name", ["full", "empty"])
def test_nothing_but_the_file_is_asked_for_and_nothing_is_complained_of(shown, folder: Path, name: str) -> None:
    requested(shown("empty"))
    browser = shown(name)
    for fold in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", fold)
    asked = {url for url in requested(browser) if not url.startswith("data:")}
    assert asked == {(folder / f"{name}.html").as_uri()}
    assert browser.get_log("browser") == []


def test_a_click_opens_a_fold_and_another_closes_it(shown) -> None:
    browser = shown()
    fold = browser.find_element("css selector", "article details")
    text = fold.find_element("tag name", "pre")
    assert not text.is_displayed()
    fold.find_element("tag name", "summary").click()
    assert text.is_displayed() and HOSTILE in text.text
    fold.find_element("tag name", "summary").click()
    assert not text.is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["full", "empty"])
def test_every_text_is_readable_in_light_and_dark(shown, name: str, scheme: str) -> None:
    browser = shown(name, scheme)
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 3 * 128) == (scheme == "dark")
    assert min(browser.execute_script(CONTRAST, TEXTS)) >= 4.5


def test_what_models_wrote_does_nothing(shown) -> None:
    browser, found = shown(), findings()
    assert browser.title == "Recipe demo: 66 rows in → 47 rows released"
    assert browser.find_elements("css selector", "script, img, iframe, pre b, pre i, body style") == []
    rows = found.kept + found.dropped_questions + found.dropped_responses
    assert len(browser.find_elements("css selector", "main > article")) == len(rows)
    assert browser.find_element("tag name", "body").is_displayed()


def test_the_policy_of_the_page_stops_a_script_that_got_in_all_the_same(shown) -> None:
    browser = shown()
    browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = \"document.title = 'owned'\";"
        "document.body.append(script)"
    )
    assert browser.title.startswith("Recipe demo")
    (complaint,) = browser.get_log("browser")
    assert "Content Security Policy" in complaint["message"]


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_is_never_wider_than_the_screen(shown, width: int) -> None:
    browser = shown(width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_every_entry_of_the_contents_leads_somewhere(shown) -> None:
    browser = shown()
    links = browser.find_elements("css selector", "nav a")
    assert len(links) == 9
    for link in links:
        target = link.get_attribute("href").split("#")[1]
        assert browser.find_element("id", target).tag_name == "h2"
