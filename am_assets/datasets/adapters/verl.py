"""Rows of verl (Eurus-2, DAPO and others): a chat to be answered, and what the answer is checked by."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import parsed, scalar


def read(row: Row) -> Item:
    chat = row.chat("prompt")
    truth = parsed(row.get("ground_truth"))
    if isinstance(truth, dict | list):
        return Item(chat.question, test_cases=canonical(truth))
    return Item(chat.question, reference_answer=scalar(truth))


ADAPTER = Adapter(
    {"prompt": Field("prompt", required=True), "ground_truth": Field("reward_model.ground_truth", required=True)},
    read,
    version="1",
    doc="[Eurus-2-RL](https://huggingface.co/datasets/PRIME-RL/Eurus-2-RL-Data) and other rows of verl: maths and code",
    signature=("prompt.0.role", "reward_model.ground_truth"),
    example={
        "data_source": "ours",
        "prompt": [{"role": "system", "content": "Reason first."}, {"role": "user", "content": "Compute 17+25."}],
        "ability": "math",
        "reward_model": {"ground_truth": "42", "style": "rule"},
    },
)
