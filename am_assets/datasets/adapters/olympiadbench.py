"""OlympiadBench, its open-ended questions: a list of final answers, of which all belong together."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields

IMAGES = [f"image_{number}" for number in range(1, 6)]


def read(row: Row) -> Item:
    if image := next((name for name in IMAGES if row.get(name)), None):
        raise Fault(f"field `{image}`: a question with an image")
    answers = [answer.strip("$ ") for answer in row.scalars("final_answer")]
    context = row.text("context")
    question = row.text("question")
    asked = f"{context}\n\n{question}" if context and question else question
    return Item(asked, reference_answer=", ".join(answers) or None)


ADAPTER = Adapter(
    fields("question", "context", *IMAGES, final_answer=Field("final_answer", required=True)),
    read,
    version="1",
    doc="[OlympiadBench](https://huggingface.co/datasets/Hothan/OlympiadBench), questions in text",
    signature=("question", "final_answer", "answer_type"),
    example={
        "id": 1,
        "question": "Compute 17+25.",
        "solution": ["17+25=42."],
        "final_answer": ["42"],
        "context": None,
        "is_multiple_answer": False,
        "answer_type": "Numerical",
    },
)
