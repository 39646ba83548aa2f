"""OpenMathReasoning: one generated solution a row, by the model that the row names."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "problem",
    Said("generated_solution"),
    reference="expected_answer",
    teacher="generation_model",
    version="1",
    doc="[OpenMathReasoning](https://huggingface.co/datasets/nvidia/OpenMathReasoning)",
    signature=("problem", "expected_answer", "generated_solution"),
    example={
        "problem": "Compute 17+25.",
        "expected_answer": "42",
        "problem_type": "has_answer_extracted",
        "generation_model": "DeepSeek-R1",
        "generated_solution": "<think>17+25=42.</think>\\boxed{42}",
        "inference_mode": "cot",
    },
)
