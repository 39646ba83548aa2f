"""The pictures of the README, of the demo as `make run` left it.

AM_SCREENSHOTS=docs pytest am_assets_tests/ui/test_pictures.py     # AM_DATA names another folder than data/
"""

import os
import shutil
from pathlib import Path

import pytest

from am_assets_tests.services import ROOT, serving
from am_assets_tests.ui.browser import GRAPH, GROUPS, browsing

pytestmark = [pytest.mark.browser, pytest.mark.slow]
UNSEEN = shutil.ignore_patterns("memo", "checkpoints", "models")


@pytest.mark.skipif(not os.environ.get("AM_SCREENSHOTS"), reason="AM_SCREENSHOTS names no folder")
def test_the_pictures_of_the_readme_are_of_the_demo(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(os.environ.get("AM_DATA", ROOT / "data"), folder, ignore=UNSEEN)
    with serving(folder) as services, browsing(services.url, 2100, 3600) as browser:
        browser.open(GRAPH)
        for words in GROUPS:
            browser.see(words)
        browser.picture("graph", "[data-svg-viewport] foreignObject")
    with browsing("", 1000, 1300) as browser:
        browser.open((folder / "assets" / "recipe_report" / "demo.html").as_uri())
        browser.see("Recipe demo")
        browser.picture("report")
