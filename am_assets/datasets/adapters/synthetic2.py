"""SYNTHETIC-2: responses of four models, in columns named by the model."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, Said, of_columns
from am_assets.datasets.adapters.synthetic1 import read as read_checks

MODELS = ["Qwen/Qwen3-32B", "Qwen/Qwen3-4B", "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", "deepseek-ai/DeepSeek-R1-0528"]
COLUMNS = of_columns(
    "prompt", *(Said(f"{model}_responses", teacher=model, listed=True) for model in MODELS), version="1", doc=""
)


def read(row: Row) -> Item:
    return replace(read_checks(row), responses=COLUMNS.read(row).responses)


ADAPTER = Adapter(
    COLUMNS.fields | {"verification_info": Field("verification_info", required=True)},
    read,
    version="3",
    doc="[SYNTHETIC-2](https://huggingface.co/datasets/PrimeIntellect/SYNTHETIC-2): responses of four models",
    signature=("prompt", "verification_info", "Qwen/Qwen3-32B_responses"),
    example={
        "problem_id": "1",
        "prompt": "Compute 17+25.",
        "verification_info": '{"ground_truth": "42"}',
        "Qwen/Qwen3-32B_responses": ["<think>17+25=42.</think>\\boxed{42}"],
        "Qwen/Qwen3-4B_responses": ["<think>17+25=41.</think>\\boxed{41}"],
    },
)
