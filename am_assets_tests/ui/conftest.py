"""A project that was applied, its services, and a browser at them.

The models are one scripted server: what it says is no label and no score, so that a check fails for all to see.
"""

from collections.abc import Iterator

import pytest

from am_assets_tests.desk import Desk
from am_assets_tests.scripted import Teacher, answer
from am_assets_tests.services import Services, am, serving, settle
from am_assets_tests.ui.browser import Browser, browsing


@pytest.fixture(scope="package")  # and no longer: what waits here for clicks takes a third of a core
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Services]]:
    """The recipe `plain` is applied down to its dataset, with a report but for scores; the recipe `other` is not."""
    teacher = Teacher(lambda *_: answer("<think>Nine and four.</think> <answer>\\boxed{13}</answer>"))
    desk = Desk(tmp_path_factory.mktemp("site"))
    desk.write_project(teacher.url)
    settle(desk.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_MODEL_KEY", "none")
        made = am(desk.folder, "apply", "--recipe", "plain", "--select", "+sft_dataset or recipe_report")
        assert made.returncode == 0, made.stdout + made.stderr
        with serving(desk.folder) as services:
            yield desk, services
    teacher.stop()


@pytest.fixture(scope="package")
def browser_there() -> None:
    """Chromium is looked for before minutes go into a project."""
    with browsing(""):
        pass


@pytest.fixture(scope="package")
def browser(browser_there: None, site: tuple[Desk, Services]) -> Iterator[Browser]:
    with browsing(site[1].url) as opened:
        yield opened
