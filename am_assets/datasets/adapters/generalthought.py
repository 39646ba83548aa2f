"""GeneralThought: thinking and answer in columns, by the model that the row names."""

from am_assets.datasets.adapters.base import Said, of_columns

ADAPTER = of_columns(
    "question",
    Said("model_answer", thinking="model_reasoning"),
    reference="reference_answer",
    teacher="model_name",
    version="1",
    doc="[GeneralThought](https://huggingface.co/datasets/GeneralReasoning/GeneralThought-430K)",
    signature=("question", "model_answer", "model_reasoning"),
    example={
        "question_id": 1,
        "question": "Compute 17+25.",
        "reference_answer": "42",
        "model_name": "DeepSeek/DeepSeek-R1",
        "model_answer": "It is \\boxed{42}.",
        "model_reasoning": "17+25=42.",
        "task": "Arithmetic",
    },
)
