"""OpenCoder's instructions: a task, a program and a list of assertions."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "instruction",
    tests="testcase",
    entry_point="entry_point",
    version="1",
    doc="[OpenCoder](https://huggingface.co/datasets/OpenCoder-LLM/opc-sft-stage2), `educational_instruct`",
    signature=("instruction", "testcase"),
    example={
        "seq_id": 1,
        "instruction": "Write `add(a, b)`.",
        "output": "def add(a, b): …",
        "entry_point": "add",
        "testcase": ["assert add(1, 2) == 3", "assert add(5, 6) == 11"],
    },
)
