"""natural_reasoning: a question, its reference, and responses of a model."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, any_of, fields
from am_assets.datasets.values import text

TEACHER = "llama-3.3-70b-instruct"


def read(row: Row) -> Item:
    given = row.get("responses") or []
    said = [(one.get("response_model") or TEACHER, text(one.get("response"))) for one in given if isinstance(one, dict)]
    return Item(
        row.text("question"),
        reference_answer=any_of(row.scalars("reference_answer")),
        responses=[(teacher, response) for teacher, response in said if response],
    )


ADAPTER = Adapter(
    fields("question", reference_answer=Field("reference_answer"), responses=Field("responses")),
    read,
    version="1",
    doc="[natural_reasoning](https://huggingface.co/datasets/facebook/natural_reasoning)",
    signature=("question", "reference_answer", "responses"),
    example={
        "question": "Compute 17+25.",
        "reference_answer": "42",
        "responses": [{"response_model": "Llama3.3-70B-Instruct", "response": "17 and 25 is \\boxed{42}."}],
    },
)
