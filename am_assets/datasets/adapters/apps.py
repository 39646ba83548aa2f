"""APPS and TACO: a task and its table of inputs and outputs, as JSON text."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "question",
    tests="input_output",
    version="2",
    doc="[APPS](https://huggingface.co/datasets/codeparrot/apps) and [TACO](https://huggingface.co/datasets/BAAI/TACO)",
    signature=("question", "input_output"),
    example={
        "question": "Read two numbers, print their sum.",
        "solutions": "[]",
        "difficulty": "EASY",
        "input_output": '{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}',
        "starter_code": "",
    },
)
