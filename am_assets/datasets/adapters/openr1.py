"""OpenR1-Math: several traces of DeepSeek-R1 a problem."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "problem",
    Said("generations", teacher="deepseek-r1", ended="finish_reasons", listed=True),
    reference="answer",
    version="2",
    doc="[OpenR1-Math](https://huggingface.co/datasets/open-r1/OpenR1-Math-220k): each of `generations` that"
    " ended by itself is a response",
    signature=("problem", "solution", "answer", "generations"),
    over=("chat",),
    example={
        "problem": "Compute 17+25.",
        "solution": "The sum is 42.",
        "answer": "42",
        "source": "ours",
        "generations": ["<think>17+25=42.</think>\\boxed{42}", "<think>17+25=41.</think>\\boxed{41}"],
        "finish_reasons": ["stop", "stop"],
        "correctness_math_verify": [True, False],
    },
)
