"""natural_reasoning: a question, its reference, and responses of a model."""

from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, any_of, fields
from am_assets.datasets.values import text

TEACHER = "llama-3.3-70b-instruct"


def _said(given: Any) -> list[tuple[str | None, str]]:
    if not isinstance(given, list | None) or not all(isinstance(one, dict) for one in given or []):
        raise Fault("expected a list of responses, each with its model")
    said = [(text(one.get("response_model")) or TEACHER, text(one.get("response"))) for one in given or []]
    return [(teacher, response) for teacher, response in said if response]


def read(row: Row) -> Item:
    return Item(
        row.text("question"),
        reference_answer=any_of(row.scalars("reference_answer")),
        responses=row.of("responses", _said),
    )


ADAPTER = Adapter(
    fields("question", reference_answer=Field("reference_answer"), responses=Field("responses")),
    read,
    version="2",
    doc="[natural_reasoning](https://huggingface.co/datasets/facebook/natural_reasoning)",
    signature=("question", "reference_answer", "responses"),
    example={
        "question": "Compute 17+25.",
        "reference_answer": "42",
        "responses": [{"response_model": "Llama3.3-70B-Instruct", "response": "17 and 25 is \\boxed{42}."}],
    },
)
