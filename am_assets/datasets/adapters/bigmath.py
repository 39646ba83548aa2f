"""Big-Math: problems with answers, and how often a small model solved them."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "problem",
    reference="answer",
    version="1",
    doc="[Big-Math](https://huggingface.co/datasets/SynthLabsAI/Big-Math-RL-Verified): questions for a teacher",
    signature=("problem", "answer", "llama8b_solve_rate"),
    example={
        "problem": "Compute 17+25.",
        "answer": "42",
        "source": "ours",
        "domain": ["Arithmetic"],
        "llama8b_solve_rate": 1.0,
    },
)
