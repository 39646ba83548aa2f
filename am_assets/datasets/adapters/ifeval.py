"""IFEval: a prompt, the names of its constraints, and their settings in the same order."""

import json

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, with_constraints
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    def paired(names: list[str] | None, settings: str | None) -> list[dict]:
        pairs = zip(names or [], json.loads(settings or "[]"), strict=True)
        return [{"id": name, "kwargs": kwargs} for name, kwargs in pairs]

    return with_constraints(frame, file, paired, "instruction_id_list", "kwargs")


ADAPTER = Adapter(
    columns(
        "prompt",
        *("response", "teacher"),
        instruction_id_list=Column("instruction_id_list", "texts", required=True),
        kwargs=Column("kwargs", "json", required=True),
    ),
    parts,
    version="1",
    doc="IFEval: instructions with constraints that are checked",
)
