"""Chinese-DeepSeek-R1-Distill: thinking and answer in columns; no references."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "input",
    Said("content", thinking="reasoning_content", teacher="deepseek-r1"),
    version="1",
    doc="[Chinese-DeepSeek-R1-Distill](https://huggingface.co/datasets/Congliu/Chinese-DeepSeek-R1-Distill-data-110k)",
    signature=("input", "content", "reasoning_content"),
    example={
        "input": "17+25?",
        "reasoning_content": "17+25=42.",
        "content": "\\boxed{42}",
        "repo_name": "ours",
        "score": 10,
    },
)
