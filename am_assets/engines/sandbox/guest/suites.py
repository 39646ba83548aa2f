"""Test suites, run by pytest: tests with fixtures or parameters, and classes of tests, those of unittest too.

All tests of a suite count as one. Each is within the time limit of a test, as it resets the clock.
"""

import ast
import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from am_assets.engines.sandbox.guest.remote import Link

OPTIONS = "-qq --tb=no --capture=no --assert=plain --import-mode=importlib --rootdir=. -c /dev/null"
PLUGINS = "-p no:cacheprovider -p no:faulthandler"
COROUTINES = "-p pytest_asyncio.plugin -o asyncio_mode=auto"
FILE = "test_solution.py"


def is_suite(tree: ast.Module) -> bool:
    """Does the code define tests that it does not call itself?"""
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    return any(node.name not in called and collected(node) for node in defined)


def collected(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Is it what pytest takes for a test?"""
    cases = isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases)
    return cases or node.name.startswith("Test" if isinstance(node, ast.ClassDef) else "test")


def run_suite(module: ModuleType, tree: ast.Module, link: "Link", alive: Callable[[], None]) -> None:
    """Run the tests of `module`; raises what made the first of them fail. `alive` is called after each."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    class Suite(pytest.Module):
        def _getobj(self) -> ModuleType:
            return module

    class Watcher:
        passed = 0
        failure: BaseException | None = None

        def pytest_collect_file(self, file_path: Any, parent: Any) -> Any:
            return Suite.from_parent(parent, path=file_path)

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(self, item: Any) -> Any:
            try:
                return (yield)
            except KeyboardInterrupt as error:  # which would end the suite
                raise RuntimeError("KeyboardInterrupt") from error

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
            report = yield
            refused, link.refused = link.refused, None
            self.passed += report.when == "call" and report.outcome == "passed"
            if report.outcome == "failed" or refused:
                error = call.excinfo.value if call.excinfo else AssertionError(str(report.longrepr))
                self.failure = self.failure or link.lost or refused or plain(error, link)
            alive()
            return report

    open(FILE, "w").close()
    watcher = Watcher()
    has_coroutines = any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(tree))
    options = f"{OPTIONS} {PLUGINS} {COROUTINES if has_coroutines else ''}".split()
    ended = pytest.main([*options, FILE], plugins=[watcher])
    if watcher.failure is not None:
        raise watcher.failure
    if (ended == pytest.ExitCode.OK and not watcher.passed) or ended == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise link.refusal("find a test that runs")
    if ended != pytest.ExitCode.OK:
        raise RuntimeError(f"the suite ended with {ended!r}")


def plain(error: BaseException, link: "Link") -> BaseException:
    """What the failure of a test says of the program."""
    name = type(error).__name__
    if name == "FixtureLookupError":
        return link.refusal(f"find the fixture {getattr(error, 'argname', '')}")
    return AssertionError(str(error)) if name in ("Failed", "XPassed") else error
