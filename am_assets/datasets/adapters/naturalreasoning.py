"""natural_reasoning: a question, its reference, and responses of a model."""

from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, any_of, fields
from am_assets.datasets.objects import is_objects, of_objects

TEACHER = "llama-3.3-70b-instruct"


def _said(given: Any) -> tuple[list[tuple[str | None, str]], set[str]]:
    listed = [] if given is None else given
    if not isinstance(listed, list) or (any(listed) and not is_objects(listed)):
        raise Fault("expected a list of responses, each with its model")
    return of_objects(listed, TEACHER)


def read(row: Row) -> Item:
    responses, notes = row.of("responses", _said)
    return Item(
        row.text("question"),
        reference_answer=any_of(row.scalars("reference_answer")),
        responses=responses,
        notes=tuple(sorted(notes)),
    )


ADAPTER = Adapter(
    fields("question", reference_answer=Field("reference_answer"), responses=Field("responses")),
    read,
    version="3",
    doc="[natural_reasoning](https://huggingface.co/datasets/facebook/natural_reasoning)",
    signature=("question", "reference_answer", "responses.0.response_model"),
    example={
        "question": "Compute 17+25.",
        "reference_answer": "42",
        "responses": [{"response_model": "Llama3.3-70B-Instruct", "response": "17 and 25 is \\boxed{42}."}],
    },
)
