"""SYNTHETIC-1 and the problems it is made of: a prompt, and what the answer is checked by as JSON text."""

from dataclasses import replace
from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, Said, of_columns
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import scalar, written

COLUMNS = of_columns("prompt", Said("llm_response", teacher="deepseek-r1"), version="1", doc="")


def read(row: Row) -> Item:
    """The question and what its answers are checked by."""
    reference, tests = row.of("verification_info", _checks)
    return Item(row.text("question"), reference, tests)


def _checks(value: Any) -> tuple[str | None, str | None]:
    """Reference and tests."""
    info = written(value) or {}
    if not isinstance(info, dict):
        raise Fault("expected an object as JSON text")
    tests, truth = info.get("test_cases"), info.get("ground_truth")
    return None if tests or isinstance(truth, dict | list) else scalar(truth), canonical(tests)


def read_all(row: Row) -> Item:
    return replace(read(row), responses=COLUMNS.read(row).responses)


ADAPTER = Adapter(
    COLUMNS.fields | {"verification_info": Field("verification_info", required=True)},
    read_all,
    version="3",
    doc="[SYNTHETIC-1](https://huggingface.co/datasets/PrimeIntellect/SYNTHETIC-1) and verifiable-coding-problems",
    signature=("prompt", "verification_info", "task_type"),
    example={
        "problem_id": "1",
        "task_type": "verifiable_math",
        "prompt": "Compute 17+25.",
        "verification_info": '{"ground_truth": "42"}',
        "gold_standard_solution": "42",
        "llm_response": "<think>17+25=42.</think>\\boxed{42}",
    },
)
