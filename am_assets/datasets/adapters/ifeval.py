"""IFEval: a prompt, the names of its constraints, and their settings in the same order."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, constraints, fields
from am_assets.datasets.values import parsed


def read(row: Row) -> Item:
    names, settings = (parsed(row.get(name)) or [] for name in ("instruction_id_list", "kwargs"))
    try:
        pairs = [{"id": name, "kwargs": parsed(kwargs)} for name, kwargs in zip(names, settings, strict=True)]
        asked = constraints(pairs)
    except (ValueError, TypeError):
        raise Fault("fields `instruction_id_list` and `kwargs`: expected constraints, each with its settings") from None
    response = row.text("response")
    answered = [(row.text("teacher"), response)] if response is not None else []
    return Item(row.text("question"), constraints=asked, responses=answered)


ADAPTER = Adapter(
    fields(
        "prompt",
        *("response", "teacher"),
        instruction_id_list=Field("instruction_id_list", required=True),
        kwargs=Field("kwargs", required=True),
    ),
    read,
    version="2",
    doc="IFEval: instructions with constraints that are checked",
    signature=("prompt", "instruction_id_list", "kwargs"),
    example={
        "key": 1,
        "prompt": "Write without commas.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{"num_words": None}],
    },
)
