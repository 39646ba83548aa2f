"""The command, in a real browser: light, dark and on a phone; math, programs, keys and a mark."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from am_assets.view import marks
from am_assets_tests.services import environment, until
from am_assets_tests.ui.browser import Browser, browsing
from am_assets_tests.view.conftest import TASK
from am_assets_tests.view.stored import Asked, write_tables

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MATH = Asked(
    "Let $x^2 = 9$ and \\(x > 0\\).", "\\frac{6}{2}", [("It is $\\sqrt{9}$.", "\\[\\boxed{3}\\]", "a", "pass")]
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looked-at")
    write_tables(folder, [MATH, TASK, Asked("Why?", None, [("So.", "So.", "a", "fail")])])
    return folder


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    """Of `am view`, as it prints it; it ends by SIGTERM."""
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "view", "-r", "plain", "--port", "0"]
    server = subprocess.Popen(command, env=environment(project), stdout=subprocess.PIPE, text=True)
    assert server.stdout
    yield re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]  # type: ignore[index]
    server.terminate()
    assert server.wait(10) is not None


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Browser]:
    with browsing(url, 1300, 900) as browser:
        yield browser


def drawn(browser: Browser) -> None:
    until(lambda: browser.driver.execute_script("return document.documentElement.dataset.drawn") == "", "drawn")


def press(browser: Browser, keys: str) -> None:
    browser.driver.find_element("css selector", "body").send_keys(keys)


def scheme(browser: Browser, name: str) -> str:
    """The colour of the page under a scheme."""
    feature = {"name": "prefers-color-scheme", "value": name}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    return browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_a_row_is_opened_read_and_marked_by_keys_alone(browser: Browser, project: Path) -> None:
    browser.open("/")
    drawn(browser)
    wanted = browser.driver.execute_script(
        "return [...document.querySelectorAll('tr[data-row]')].findIndex((row) => row.textContent.includes('x^2'))"
    )
    press(browser, "j" * (wanted + 1))
    press(browser, "\n")
    browser.see(MATH.id)
    drawn(browser)
    assert browser.driver.execute_script("return document.querySelectorAll('.asked math').length") == 2
    assert browser.driver.execute_script("return document.querySelectorAll('.think math').length") == 0  # folded
    browser.find(".think summary").click()
    until(
        lambda: browser.driver.execute_script("return document.querySelectorAll('.think math').length"), "math of think"
    )
    assert browser.find("[data-formula] mfrac")  # of a reference without dollars
    note = browser.find("input[name=note]")
    note.send_keys("as it should be\n")
    assert not (project / marks.FILE).exists()  # Enter in a note is no mark
    browser.driver.execute_script("document.activeElement.blur()")
    press(browser, "m")
    assert "$x^2 = 9$" in browser.find(".asked").text
    press(browser, "r")
    until(lambda: (project / marks.FILE).exists(), "the mark is stored")
    browser.find("button[value=right][aria-pressed=true]")
    assert [(one.says, one.note) for one in marks.read(project).values()] == [("right", "as it should be")]


def test_programs_are_coloured(browser: Browser) -> None:
    browser.open(f"/row/{TASK.id}")
    drawn(browser)
    assert browser.find(".response code .hljs-keyword").text == "def"


def test_light_dark_and_on_a_phone(browser: Browser) -> None:
    browser.open("/")
    light, dark = (sum(map(int, re.findall(r"\d+", scheme(browser, name))[:3])) for name in ("light", "dark"))
    assert light > 600 and dark < 150
    phone = {"width": 380, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    for path in ("/", f"/row/{TASK.id}", "/marks", "/report"):
        browser.open(path)
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 380, path
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
