"""LIMO: a long solution and its answer; the data set does not say who wrote it."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "question",
    Said("solution"),
    reference="answer",
    version="1",
    doc="[LIMO](https://huggingface.co/datasets/GAIR/LIMO); the entry names the `teacher`",
    signature=("question", "solution", "answer"),
    example={"question": "Compute 17+25.", "solution": "17+25=42.\n</think>\n\n\\boxed{42}", "answer": "42"},
)
