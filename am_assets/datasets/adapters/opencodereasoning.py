"""OpenCodeReasoning: a task and a trace of DeepSeek-R1 with its program; no tests."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "input",
    Said("output", teacher="deepseek-r1"),
    version="1",
    doc="[OpenCodeReasoning](https://huggingface.co/datasets/nvidia/OpenCodeReasoning), `split_0`",
    signature=("input", "output", "solution"),
    example={
        "id": "1",
        "input": "Print the sum of two numbers.",
        "source": "ours",
        "license": "cc-by-4.0",
        "output": "<think>Add.</think>```python\nprint(sum(map(int, input().split())))\n```",
        "solution": "```python\nprint(sum(map(int, input().split())))\n```",
    },
)
