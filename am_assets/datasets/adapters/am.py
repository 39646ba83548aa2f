"""The AM data sets, as published: conversations with reference, tests and teacher in the `info` of their turns."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row
from am_assets.datasets.cases import canonical
from am_assets.datasets.chats import Chat
from am_assets.datasets.values import scalar

REFERENCES = ("reference_answer", "ground_truth")  # AM-DeepSeek-R1-Distilled, AM-Thinking-v1
TEACHERS = ("model_name", "source")  # where there is a name of the model, `source` says where the question came from


def read(row: Row) -> Item:
    chat = row.chat("messages")
    return row.of("messages", lambda _: _item(chat))


def _item(chat: Chat) -> Item:
    infos = chat.infos
    references = [said for info in infos for name in REFERENCES if (said := scalar(info.get(name)))]
    tests = [found for info in infos if (found := canonical(info.get("test_case")))]
    named = (scalar(infos[-1].get(name)) for name in TEACHERS)
    teacher = next(filter(None, named), None) if chat.response is not None else None
    return Item(
        chat.question,
        reference_answer=references[0] if references else None,
        test_cases=tests[0] if tests else None,
        responses=[(teacher, chat.response)] if chat.response is not None else [],
    )


ADAPTER = Adapter(
    {"messages": Field("messages", ("conversations",), required=True)},
    read,
    version="5",
    doc="[AM-DeepSeek-R1-Distilled](https://arxiv.org/abs/2503.19633) and AM-Thinking-v1 as published, with their"
    " responses",
    signature=("messages|conversations", "messages.0.info|conversations.0.info|conversations.1.info"),
    example={
        "messages": [
            {
                "role": "user",
                "content": "Compute 17+25.",
                "info": {"source": "ours", "reference_answer": "42", "test_case": None},
            },
            {
                "role": "assistant",
                "content": "<think>17+25=42.</think> <answer>\\boxed{42}</answer>",
                "info": {"source": "deepseek-r1"},
            },
        ]
    },
)
