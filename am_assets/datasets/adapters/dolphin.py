"""Dolphin-R1: a chat to be answered, with thinking and answer beside it."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row
from am_assets.datasets.chats import with_thinking


def read(row: Row) -> Item:
    chat = row.chat("messages")
    answer = row.text("answer")
    said = [] if answer is None else [(row.text("model"), with_thinking(row.text("reasoning"), answer))]
    return Item(chat.question, responses=said)


ADAPTER = Adapter(
    {
        name: Field(name, required=name in ("messages", "answer"))
        for name in ("messages", "reasoning", "answer", "model")
    },
    read,
    version="1",
    doc="[dolphin-r1](https://huggingface.co/datasets/QuixiAI/dolphin-r1), `reasoning-*`",
    signature=("messages", "reasoning", "answer"),
    example={
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Compute 17+25."}],
        "reasoning": "17+25=42.",
        "answer": "\\boxed{42}",
        "model": "deepseek-r1",
    },
)
