"""A form of data is one module: it is found, documented and versioned by itself."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from am_assets.datasets import adapters
from am_assets.datasets.adapters import ADAPTERS
from am_assets_tests.commands import applied, planned
from am_assets_tests.datasets.adapter_lists import ROOT, written
from am_assets_tests.desk import Desk, at_desk

FROM_FILES = ("--recipe", "plain", "--select", "raw_pool or benchmark_questions")
NEW_FORM = """
from am_assets.datasets.adapters.base import Adapter, Item, fields

ADAPTER = Adapter(fields("ask"), lambda row: Item(row.text("question")), version="1", doc="a form that is new")
"""


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules count as modules of the package, too."""
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"{adapters.__name__}.{path.stem}", None)
        vars(adapters).pop(path.stem, None)


def test_a_new_module_is_an_adapter_of_its_name(added: Path) -> None:
    (added / "letters.py").write_text(NEW_FORM)
    found = adapters._discover()
    assert {*found} == {*ADAPTERS, "letters"}
    assert found["letters"].fields["question"].path == "ask"
    text = written(found)[ROOT / "docs" / "adapters.md"]
    assert "| `letters` | **`question` from `ask`** | a form that is new |" in text


def test_a_module_without_an_adapter_is_named(added: Path) -> None:
    (added / "nothing.py").write_text('"""No form of data."""\n')
    with pytest.raises(AttributeError, match=r"am_assets\.datasets\.adapters\.nothing.*ADAPTER"):
        adapters._discover()


def test_the_lists_of_adapters_are_those_of_the_registry() -> None:
    for path, text in written().items():
        assert path.read_text() == text, f"{path}: python -m am_assets_tests.datasets.adapter_lists"


def test_every_adapter_is_documented_and_has_an_example() -> None:
    assert all(one.doc and one.version and one.signature and one.example for one in ADAPTERS.values())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A source and a benchmark of each of two forms, read."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    desk.rows("graded", [{"question": "What is 3 plus 4?", "answer": "3 + 4 = 7\n#### 7"}])
    graded = desk.source("graded", 1) | {"adapter": "gsm8k"}
    gym = {"generator": "reasoning_gym", "datasets": {"chain_sum": 2}, "rank": 2}
    desk.write("sources.yaml", {"graded": graded, "open": desk.source("open", 1), "gym": gym})
    held_out = {"location": "pool/held_out.jsonl", "adapter": "jsonl"}
    school = {"location": "pool/graded.jsonl", "adapter": "gsm8k"}
    desk.write("benchmarks.yaml", {"held_out": held_out, "school": school})
    desk.edit("plain", "sampling", decontamination={"benchmarks": ["held_out", "school"]})
    outcomes = applied(desk, *FROM_FILES)
    assert {*outcomes.values()} == {"done"} and len(outcomes) == 5
    assert planned(desk, *FROM_FILES) == {}
    return desk


def test_a_raised_version_makes_stale_what_is_read_by_that_adapter_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADAPTERS, "gsm8k", replace(ADAPTERS["gsm8k"], version="next"))
    reason = "version of adapter gsm8k of {} changed from 2 to next"
    assert planned(desk, *FROM_FILES) == {
        ("raw_pool", "graded"): ("stale", reason.format("source graded in sources.yaml")),
        ("benchmark_questions", "school"): ("stale", reason.format("benchmark school in benchmarks.yaml")),
    }
    assert {*applied(desk, *FROM_FILES).values()} == {"done"}
    assert planned(desk, *FROM_FILES) == {}


def test_a_raised_version_of_an_adapter_that_nothing_uses_is_no_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADAPTERS, "math", replace(ADAPTERS["math"], version="next"))
    assert planned(desk, *FROM_FILES) == {}
