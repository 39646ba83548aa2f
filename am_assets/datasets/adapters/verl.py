"""Rows of verl (Eurus-2, DAPO and others): a chat to be answered, and what the answer is checked by."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, any_of
from am_assets.datasets.chats import is_reply, reply
from am_assets.datasets.values import broken, parsed, scalar, scalars


def read(row: Row) -> Item:
    item = _asked(row)
    said = parsed(row.get("target"))
    return replace(item, responses=[(None, row.of("target", lambda _: reply(said)) or "")]) if is_reply(said) else item


def _asked(row: Row) -> Item:
    chat = row.chat("prompt")
    truth = parsed(row.get("ground_truth"))
    if isinstance(truth, list) and not any(isinstance(one, dict) or "assert" in str(one) for one in truth):
        return Item(chat.question, reference_answer=row.of("ground_truth", lambda _: any_of(scalars(truth))))
    if isinstance(truth, dict | list) or broken(truth):
        return Item(chat.question, test_cases=row.tests("ground_truth"))
    return Item(chat.question, reference_answer=row.of("ground_truth", lambda _: scalar(truth)))


ADAPTER = Adapter(
    {
        "prompt": Field("prompt", required=True),
        "ground_truth": Field("reward_model.ground_truth", required=True),
        "target": Field("target"),
    },
    read,
    version="4",
    doc="[Eurus-2-RL](https://huggingface.co/datasets/PRIME-RL/Eurus-2-RL-Data) and other rows of verl: maths and code;"
    " `target` may have the response, as LUFFY's has",
    signature=("prompt.0.role", "reward_model.ground_truth"),
    example={
        "data_source": "ours",
        "prompt": [{"role": "system", "content": "Reason first."}, {"role": "user", "content": "Compute 17+25."}],
        "ability": "math",
        "reward_model": {"ground_truth": "42", "style": "rule"},
    },
)
