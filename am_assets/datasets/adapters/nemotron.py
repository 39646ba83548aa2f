"""Llama-Nemotron's post-training data: a chat in `input`, its answer in `output`."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row


def read(row: Row) -> Item:
    chat = row.chat("input")
    response = row.text("output")
    return Item(chat.question, responses=[(row.text("generator"), response)] if response is not None else [])


ADAPTER = Adapter(
    {"input": Field("input", required=True), "output": Field("output", required=True), "generator": Field("generator")},
    read,
    version="1",
    doc="[Llama-Nemotron](https://huggingface.co/datasets/nvidia/Llama-Nemotron-Post-Training-Dataset), `SFT`",
    signature=("input.0.role", "output"),
    example={
        "input": [{"role": "user", "content": "Compute 17+25."}],
        "output": "<think>17+25=42.</think>\\boxed{42}",
        "reasoning": "on",
        "system_prompt": "detailed thinking on",
        "category": "math",
        "license": "cc-by-4.0",
        "generator": "DeepSeek-R1",
    },
)
