"""The 59 thousand questions that s1K was drawn from: lists of trajectories, by Gemini."""

from am_assets.datasets.adapters.base import Said, of_columns
from am_assets.datasets.adapters.s1k import with_reference

COLUMNS = of_columns(
    "question",
    Said("attempt", thinking="thinking_trajectories", teacher="gemini-2.0-flash-thinking"),
    reference="solution",
    version="1",
    doc="[data_ablation_full59K](https://huggingface.co/datasets/simplescaling/data_ablation_full59K)",
    signature=("question", "solution", "thinking_trajectories", "attempt"),
    example={
        "question": "Compute 17+25.",
        "solution": "42",
        "cot": None,
        "thinking_trajectories": ["17+25=42."],
        "attempt": "The sum is \\boxed{42}.",
    },
)
ADAPTER = with_reference(COLUMNS)
