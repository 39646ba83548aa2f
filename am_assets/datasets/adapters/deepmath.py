"""DeepMath-103K: three traces of DeepSeek-R1 a question, without the tag that begins them."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "question",
    *(Said(f"r1_solution_{number}", teacher="deepseek-r1") for number in (1, 2, 3)),
    reference="final_answer",
    version="1",
    doc="[DeepMath-103K](https://huggingface.co/datasets/zwhe99/DeepMath-103K): three responses a question",
    signature=("question", "final_answer", "r1_solution_1"),
    example={
        "question": "Compute 17+25.",
        "final_answer": "42",
        "difficulty": 1.0,
        "topic": "Arithmetic",
        "r1_solution_1": "17+25=42.\n</think>\n\n\\boxed{42}",
        "r1_solution_2": "Add.\n</think>\n\n\\boxed{42}",
        "r1_solution_3": "I guess.\n</think>\n\n\\boxed{41}",
    },
)
