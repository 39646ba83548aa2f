"""CodeContests: a task and its public, private and generated tests."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, fields
from am_assets.datasets.cases import TABLES, canonical


def read(row: Row) -> Item:
    tables = {name: row.get(name) for name in TABLES}
    return Item(row.text("question"), test_cases=row.of(TABLES[0], lambda _: canonical(tables)))


ADAPTER = Adapter(
    fields(Field("description", ("question",), required=True), **{name: Field(name) for name in TABLES}),
    read,
    version="3",
    doc="[CodeContests](https://huggingface.co/datasets/deepmind/code_contests); all three kinds of tests count",
    signature=("description|question", "public_tests"),
    example={
        "name": "1_A",
        "description": "Read two numbers, print their sum.",
        "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
        "private_tests": {"input": ["5 6\n"], "output": ["11\n"]},
        "generated_tests": {"input": [], "output": []},
    },
)
