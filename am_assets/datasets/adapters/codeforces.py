"""Problems of Codeforces with their official tests; the question has the statement and both formats."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields, with_parts

PARTS = {"input_format": "Input", "output_format": "Output", "note": "Note"}


def read(row: Row) -> Item:
    if row.text("interaction_format"):
        raise Fault("field `interaction_format`: an interactive problem")
    parts = [f"{title}\n\n{said}" for name, title in PARTS.items() if (said := row.text(name))]
    tests = row.tests("official_tests", checker=row.text("generated_checker"))
    return Item(with_parts(row.text("question"), *parts), test_cases=tests)


ADAPTER = Adapter(
    fields("description", *PARTS, "interaction_format", "generated_checker", official_tests=Field("official_tests")),
    read,
    version="3",
    doc="[codeforces](https://huggingface.co/datasets/open-r1/codeforces) with official tests and checkers",
    signature=("description", "official_tests"),
    example={
        "id": "1/A",
        "description": "Two numbers are given. Find their sum.",
        "input_format": "Two integers.",
        "output_format": "Their sum.",
        "interaction_format": None,
        "note": None,
        "official_tests": [{"input": "1 2\n", "output": "3\n"}],
        "generated_checker": None,
    },
)
