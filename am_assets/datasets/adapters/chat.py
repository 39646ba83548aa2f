"""Chats: `messages` (role, content) or `conversations` (from, value), with the response in them or beside them."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, any_of, finished
from am_assets.datasets.chats import reply


def read(row: Row) -> Item:
    chat = row.chat("messages")
    response = chat.response if chat.response is not None else row.of("response", reply)
    said, notes = finished(row, [] if response is None else [response], "finish_reason")
    return Item(
        chat.question,
        reference_answer=any_of(row.scalars("reference_answer")),
        test_cases=row.tests("test_cases"),
        responses=[(row.text("teacher"), one) for one in said],
        notes=tuple(sorted(notes)),
    )


ADAPTER = Adapter(
    {
        "messages": Field("messages", ("conversations", "conversation", "chat", "input", "prompt"), required=True),
        "response": Field("response", ("output",)),
        "finish_reason": Field("finish_reason"),
        "teacher": Field("teacher"),
        "reference_answer": Field("reference_answer"),
        "test_cases": Field("test_cases"),
    },
    read,
    version="4",
    doc="chats of one question and its answer; `system` turns are left out, `turns: first` takes the first two of"
    " longer ones",
    signature=("messages|conversations",),
    over=("jsonl",),
    example={
        "system": "Be brief.",
        "conversations": [
            {"from": "human", "value": "Compute 17+25."},
            {"from": "gpt", "value": "<think>17+25=42.</think>\\boxed{42}"},
        ],
        "teacher": "deepseek-r1",
    },
)
