"""Open-Reasoner-Zero: a row is a chat whose second turn has the reference in place of an answer."""

from am_assets.datasets.adapters.base import Adapter, Field, Item, any_of, fields

ADAPTER = Adapter(
    fields(
        Field("messages.0.value", ("0.value",), required=True),
        reference_answer=Field("messages.1.ground_truth.value", ("1.ground_truth.value",)),
    ),
    lambda row: Item(row.text("question"), any_of(row.scalars("reference_answer"))),
    version="1",
    doc="[Open-Reasoner-Zero](https://github.com/Open-Reasoner-Zero/Open-Reasoner-Zero), also in columns `0` and `1`",
    signature=("messages.0.value|0.value", "messages.1.ground_truth.value|1.ground_truth.value"),
    over=("chat",),
    example={
        "0": {"from": "human", "value": "Compute 17+25."},
        "1": {"from": "assistant", "ground_truth": {"value": "42"}},
    },
)
