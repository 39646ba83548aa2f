"""What the UI says of an asset whatever its rows: whose it is, its columns, where they come from, where its code is.

The words are those of `schema.py` and `lineage.py`; here they only take Dagster's form.
"""

import inspect
from collections.abc import Callable
from typing import Any

import dagster as dg

from am_assets.storage.lineage import lineage
from am_assets.storage.schemas import TABLES

OWNERS = ["team:post-training"]
NAMED = 3  # columns that a description names as its origin


def described(name: str, fn: Callable, deps: list[dg.AssetDep]) -> dict[str, Any]:
    """Metadata of the asset `name` made by `fn`, which reads the tables its parameters are named for, and `deps`."""
    read = [*inspect.signature(fn).parameters, *(dep.asset_key.to_user_string() for dep in deps)]
    schema, origins = TABLES[name], lineage(name, read)
    key = schema.primary_key()
    columns = [
        dg.TableColumn(
            column,
            str(spec.dtype),
            description=_said(spec.description, origins[column]),
            constraints=dg.TableColumnConstraints(
                nullable=spec.nullable, unique=key == [column], other=["primary key"] if column in key else []
            ),
        )
        for column, spec in schema.columns().items()
    ]
    deps_by_column = {
        column: [dg.TableColumnDep(dg.AssetKey(table), its) for table, its in places]
        for column, places in origins.items()
    }
    return {
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column),
    }


def code_of(fn: Callable) -> dict[str, Any]:
    """The place of an asset's own lines: left to itself, Dagster finds the decorator's."""
    place = dg.LocalFileCodeReference(file_path=fn.__code__.co_filename, line_number=fn.__code__.co_firstlineno)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[place])}


def _said(description: str | None, origins: list[tuple[str, str]]) -> str | None:
    """The open-source UI has no view of column lineage, so a column's description names what it comes from."""
    places = ", ".join(f"{table}.{column}" for table, column in origins[:NAMED])
    source = f"from {places}{', …' if len(origins) > NAMED else ''}" if places else ""
    return "; ".join(filter(None, [description, source])) or None
