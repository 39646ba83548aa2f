"""A headless Chromium at the UI: open a page, wait for words, click on them, take a picture."""

import json
import os
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import NamedTuple

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from am_assets_tests.promised import without_browser
from am_assets_tests.services import until

FLAGS = ["--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
GROUPS = ["recipe", "pool", "selection", "distillation", "verification", "training", "evaluation"]
GRAPH = "/asset-groups?expanded=" + ",".join(f"global@global:{group}" for group in GROUPS)
ENDS = ("Network.loadingFinished", "Network.loadingFailed")
MARGIN = 12  # pixels around what a picture shows
AROUND = """const of = [...document.querySelectorAll(arguments[0])].map(one => one.getBoundingClientRect());
    const [least, most] = [(side) => Math.min(...of.map(side)), (side) => Math.max(...of.map(side))];
    return [least(one => one.left), least(one => one.top), most(one => one.right), most(one => one.bottom),
        window.innerWidth, window.innerHeight];"""
STILL_SECONDS = 1.0  # a page that did not change for so long has settled


class Query(NamedTuple):
    name: str
    said: str  # the whole question, with its variables
    at: float  # seconds, of the browser's clock
    document: str

    @property
    def asked(self) -> tuple[str, str]:
        return self.document, self.said


class Browser:
    """Every look and click waits for what it needs; `TimeoutError` says what did not come."""

    def __init__(self, driver: webdriver.Chrome, url: str):
        self.driver, self.url = driver, url
        self.asking: dict[str, Query] = {}  # queries without an answer yet, by request
        self.answered: set[tuple[str, str]] = set()  # what was, since one waits: the document that asked, and what

    def open(self, path: str) -> None:
        """A page by its path in the UI, or by its whole address."""
        self.driver.get(path if "://" in path else self.url + path)

    def see(self, words: str, of: str = "") -> WebElement:
        """The innermost visible element whose text is or begins with these words, or the one `of` this kind."""
        begins = f"[starts-with(normalize-space(.), {words!r})]"
        path = f"//{of}{begins}" if of else f"//*{begins}[not(*{begins})]"
        return until(lambda: self._visible(path), f"{words!r} on {self.driver.current_url}")

    def see_after_reload(self, path: str, words: str) -> None:
        """Opens it until the words are there: one that asks too early after a reload shows what was before."""

        def shown() -> bool:
            self.open(path)
            self.settle()
            return words in self.text()

        until(shown, f"{words!r} on {path}")

    def find(self, selector: str) -> WebElement:
        return until(lambda: self._visible(selector, By.CSS_SELECTOR), f"{selector} on {self.driver.current_url}")

    def click(self, words: str, of: str = "") -> None:
        def clicked() -> bool:
            try:
                self.see(words, of).click()
            except WebDriverException:  # it moved, or something lay over it: look again
                return False
            return True

        until(clicked, f"{words!r} can be clicked on")

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def picture(self, name: str, selector: str = "body") -> None:
        """A picture of the settled page into the folder that `AM_SCREENSHOTS` names, where it names one: what lies in
        the window around all elements that the selector finds."""
        folder = os.environ.get("AM_SCREENSHOTS")
        if folder:
            if self.driver.current_url.startswith(self.url):  # a file of its own asks nothing
                self.settle()
            (Path(folder) / f"{name}.png").write_bytes(until(lambda: self._still(selector), "a page at rest"))

    def queries(self) -> dict[str, float]:
        """The seconds that the queries answered since the last call took, by name."""
        took: dict[str, float] = {}
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            of = message["params"]
            if message["method"] == "Network.requestWillBeSent" and "/graphql" in of["request"]["url"]:
                said = of["request"].get("postData", "{}")
                name = json.loads(said).get("operationName", "?")
                self.asking[of["requestId"]] = Query(name, said, of["timestamp"], of["loaderId"])
            elif of.get("requestId") in self.asking and message["method"] in ENDS:
                query = self.asking.pop(of["requestId"])
                self.answered.add(query.asked)
                took[query.name] = max(took.get(query.name, 0), of["timestamp"] - query.at)
            elif message["method"] == "Page.frameNavigated" and "parentId" not in of["frame"]:
                self._forget_others(of["frame"]["loaderId"])
        return took

    def settle(self) -> dict[str, float]:
        """Wait until all that the page asks is answered and it asks nothing new; the seconds that each query took.

        What it asks again and again, to follow what changes, was answered once: a slow machine always waits for one.
        """
        took: dict[str, float] = {}
        self.answered, told = set(), set[tuple[str, str]]()
        quiet_since = time.monotonic()

        def waiting() -> list[str]:
            return sorted(query.name for query in self.asking.values() if query.asked not in self.answered)

        def answered() -> bool:
            nonlocal quiet_since, told
            took.update(self.queries())
            if self.answered != told or waiting():
                quiet_since, told = time.monotonic(), set(self.answered)
            return bool(told) and time.monotonic() - quiet_since > STILL_SECONDS

        try:
            until(answered, "all queries are answered")
        except TimeoutError as late:
            raise TimeoutError(f"{self.driver.current_url} waits for {waiting()}, was told {sorted(took)}") from late
        return took

    def _forget_others(self, document: str) -> None:
        """What a document asked that was left since is not always told as answered or failed."""
        self.asking = {request: query for request, query in self.asking.items() if query.document == document}
        self.answered = {asked for asked in self.answered if asked[0] == document}

    def _visible(self, path: str, by: str = By.XPATH) -> WebElement | None:
        try:
            return next((found for found in self.driver.find_elements(by, path) if found.is_displayed()), None)
        except WebDriverException:  # the page was drawn anew meanwhile
            return None

    def _still(self, selector: str) -> bytes | None:
        self.find(selector)
        before = self._clipped(selector)
        time.sleep(STILL_SECONDS)
        return before if self._clipped(selector) == before else None

    def _clipped(self, selector: str) -> bytes:
        left, top, right, bottom, width, height = self.driver.execute_script(AROUND, selector)
        x, y = max(0, left - MARGIN), max(0, top - MARGIN)
        size = {"width": min(right + MARGIN, width) - x, "height": min(bottom + MARGIN, height) - y}
        options = {"format": "png", "clip": {"x": x, "y": y, "scale": 1, **size}}
        return b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"])


@contextmanager
def browsing(url: str, width: int = 2100, height: int = 3600) -> Iterator[Browser]:
    programs = which("chromium"), which("chromedriver")
    if not all(programs):
        without_browser("no chromium and chromedriver here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in [*FLAGS, f"--window-size={width},{height}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(programs[1])))
    try:
        yield Browser(driver, url)
    finally:
        driver.quit()
