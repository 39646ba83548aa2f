"""rStar-Coder: a task, its inputs and outputs as two lists in JSON text, and the function that is called, if any."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, fields, with_starter
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import parsed


def read(row: Row) -> Item:
    function, owner = row.text("func_name"), row.text("class_name")
    inputs = row.of("inputs", parsed)
    table = {"inputs": inputs, "outputs": row.of("outputs", parsed), "fn_name": function or None}
    tests = row.of("inputs", lambda _: canonical(table)) if inputs is not None else None
    return Item(
        with_starter(row.text("question"), row.text("starter_code") if function or owner else None), None, tests
    )


ADAPTER = Adapter(
    fields("question", *("func_name", "class_name", "starter_code"), inputs=Field("inputs"), outputs=Field("outputs")),
    read,
    version="1",
    doc="[rStar-Coder](https://huggingface.co/datasets/microsoft/rStar-Coder), the files with tests",
    signature=("question", "inputs", "outputs"),
    example={
        "question_id": "1",
        "question": "Read two numbers, print their sum.",
        "inputs": '["1 2\\n", "5 6\\n"]',
        "outputs": '["3\\n", "11\\n"]',
        "is_synthesized": True,
        "func_name": None,
        "class_name": None,
        "starter_code": "",
    },
)
