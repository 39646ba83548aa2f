"""Metadata of an asset that do not depend on its rows: owners, column schema, column lineage, code reference.

The content comes from `schemas.py` and `lineage.py`; here it only takes Dagster's form.
"""

import inspect
from collections.abc import Callable
from typing import Any

import dagster as dg

from am_assets.orchestration.lineage import lineage
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.schemas.meanings import meaning

OWNERS = ["team:post-training"]
MAX_ORIGINS = 3  # columns that a description lists as origins


def column_metadata(name: str, fn: Callable, deps: list[dg.AssetDep]) -> dict[str, Any]:
    """Column schema and column lineage of the asset `name`. It reads the tables that the parameters of `fn` are named
    for, and `deps`."""
    read = [*inspect.signature(fn).parameters, *(dep.asset_key.to_user_string() for dep in deps)]
    schema, origins = TABLES[name], lineage(name, read)
    key = schema.primary_key()
    columns = [
        dg.TableColumn(
            column,
            str(spec.dtype),
            description=_description(meaning(schema, column), origins[column]),
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


def code_reference(fn: Callable) -> dict[str, Any]:
    """File and line of the body of an asset; Dagster alone would give those of the decorator."""
    reference = dg.LocalFileCodeReference(file_path=fn.__code__.co_filename, line_number=fn.__code__.co_firstlineno)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def _description(description: str | None, origins: list[tuple[str, str]]) -> str | None:
    """The open-source UI does not show column lineage, so the description of a column lists its origins."""
    places = ", ".join(f"{table}.{column}" for table, column in origins[:MAX_ORIGINS])
    source = f"from {places}{', …' if len(origins) > MAX_ORIGINS else ''}" if places else ""
    return "; ".join(filter(None, [description, source])) or None
