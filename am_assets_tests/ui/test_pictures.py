"""The pictures of the README, of the demo as `make run` left it.

AM_SCREENSHOTS=docs pytest am_assets_tests/ui/test_pictures.py     # AM_DATA names another folder than data/
"""

import os
import shutil
from pathlib import Path

import pytest

from am_assets_tests.services import ROOT, serving
from am_assets_tests.ui.browser import GRAPH, GROUPS, browsing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("AM_SCREENSHOTS"), reason="AM_SCREENSHOTS names no folder for pictures"),
]
DEMO = Path(os.environ.get("AM_DATA", ROOT / "data")).resolve()
UNSEEN = shutil.ignore_patterns("memo", "checkpoints", "models")


def test_the_report_of_the_demo() -> None:
    with browsing("nowhere", 1100, 1300) as browser:
        browser.open((DEMO / "assets" / "recipe_report" / "demo.html").as_uri())
        browser.see("Recipe demo")
        browser.picture("report")


def test_the_graph_of_the_demo(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "data", ignore=UNSEEN)
    with serving(tmp_path / "data") as services, browsing(services.url) as browser:
        browser.open(GRAPH)
        for words in GROUPS:
            browser.see(words)
        browser.picture("graph", "[data-svg-viewport] foreignObject")
