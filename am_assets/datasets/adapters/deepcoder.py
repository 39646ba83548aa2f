"""DeepCoder: problems of several sets with their tests as JSON text."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "problem",
    tests="tests",
    entry_point="metadata.func_name",
    version="2",
    doc="[DeepCoder](https://huggingface.co/datasets/agentica-org/DeepCoder-Preview-Dataset)",
    signature=("problem", "tests"),
    example={
        "problem": "Read two numbers, print their sum.",
        "tests": '[{"type": "stdin_stdout", "input": "1 2\\n", "output": "3\\n"}]',
        "solutions": [],
    },
)
