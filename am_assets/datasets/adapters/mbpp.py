"""MBPP and MBPP+: a task in a sentence and a list of assertions, which the question shows so that names are known."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields, with_parts
from am_assets.datasets.adapters.humaneval import PLUS, with_inputs
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import parsed


def read(row: Row) -> Item:
    if row.get("plus_input") is not None:
        return with_inputs(row)
    tests = parsed(row.get("test_list"))
    if not (isinstance(tests, list) and tests and all(isinstance(test, str) for test in tests)):
        raise Fault("field `test_list`: no tests")
    question, shown = row.text("question"), "\n".join(tests)
    setup = "\n".join(row.scalars("setup"))
    decides = row.text("test") or shown  # MBPP+ has more tests than it shows
    code = f"{setup}\n{decides}" if setup else decides
    asked = with_parts(question, f"Your code should pass these tests:\n{shown}")
    return Item(asked, test_cases=canonical({"test_code": code}))


ADAPTER = Adapter(
    fields(
        Field("text", ("prompt",), required=True),
        *("test", "entry_point", *PLUS),
        test_list=Field("test_list"),
        solution=Field("canonical_solution"),
        setup=Field("test_setup_code", ("test_imports",)),
    ),
    read,
    version="5",
    doc="MBPP, also the sanitized, and MBPP+; the question shows the tests of MBPP",
    signature=("text|prompt", "test_list"),
    example={
        "task_id": 1,
        "text": "Write a function `add` of two numbers.",
        "code": "def add(a, b): return a + b",
        "test_list": ["assert add(1, 2) == 3"],
        "test_setup_code": "",
    },
)
