"""KodCode: a task, tests of pytest, and a solution of DeepSeek-R1 where there is one."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "question",
    Said("r1_solution", teacher="deepseek-r1"),
    tests="test",
    version="1",
    doc="[KodCode](https://huggingface.co/datasets/KodCode/KodCode-V1-SFT-R1)",
    signature=("question", "test", "test_info"),
    over=("chat",),
    example={
        "question": "Write `add(a, b)`.",
        "test": "from solution import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
        "test_info": [{"function_name": "add", "function_declaration": "def add(a, b):"}],
        "r1_solution": "def add(a, b):\n    return a + b",
    },
)
