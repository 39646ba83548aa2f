"""HumanEval and HumanEval+: a function to complete, and a `check` of it."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, fields, humaneval_tests


def read(row: Row) -> Item:
    return Item(row.text("question"), test_cases=humaneval_tests(row.text("test"), row.text("entry_point")))


ADAPTER = Adapter(
    fields("prompt", test=Field("test", required=True), entry_point=Field("entry_point", required=True)),
    read,
    version="3",
    doc="HumanEval and HumanEval+; the tests call `check`",
    signature=("prompt", "test", "entry_point"),
    example={
        "task_id": "1",
        "prompt": 'def add(a, b):\n    """The sum."""\n',
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    },
)
