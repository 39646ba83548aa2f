"""KodCode: a task, tests of pytest, and a solution of DeepSeek-R1 where there is one."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Field, Item, Row, Said, of_columns

COLUMNS = of_columns(
    "question",
    Said("r1_solution", teacher="deepseek-r1"),
    tests="test",
    version="2",
    doc="[KodCode](https://huggingface.co/datasets/KodCode/KodCode-V1-SFT-R1); the response is that of"
    " the conversation, which thinks, where the row has a solution of DeepSeek-R1",
    signature=("question", "test", "test_info"),
    over=("chat",),
    example={
        "question": "Write `add(a, b)`.",
        "test": "from solution import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        "test_info": [{"function_name": "add", "function_declaration": "def add(a, b):"}],
        "r1_solution": "def add(a, b):\n    return a + b",
    },
)


def read(row: Row) -> Item:
    item = COLUMNS.read(row)
    chat = row.chat_on("conversations") if item.responses else None
    return replace(item, responses=[(item.responses[0][0], chat.response)]) if chat and chat.response else item


ADAPTER = replace(COLUMNS, fields=COLUMNS.fields | {"conversations": Field("conversations")}, read=read)
