"""JSON schemas of a project's files, for editors: `# yaml-language-server: $schema=schemas/sources.json`."""

import json
from typing import Any

from pydantic import BaseModel

from am_assets.cli.reference.described import schema_of
from am_assets.cli.reference.kinds import KINDS, Kind
from am_assets.config.recipe import Recipe

FOLDER = "schemas"  # of a project, beside its files
RESET = ("rates", "shares")  # of `sampling`, by null


def schemas() -> dict[str, str]:
    """The text of each file of FOLDER, by its name."""
    return {f"{kind.name}.json": json.dumps(_schema(kind), indent=1, ensure_ascii=False) + "\n" for kind in KINDS}


def _schema(kind: Kind) -> dict[str, Any]:
    schema = _changes(kind.model) if kind.partial else schema_of(kind.model)
    defs = schema.pop("$defs", {})
    if kind.partial:
        schema["properties"]["extends"] = {"type": "string", "description": "The recipe that this one changes"}
    if kind.name == "experiment":
        recipe = _changes(Recipe)
        defs |= recipe.pop("$defs") | {"Recipe": recipe}
        schema["properties"]["variants"]["additionalProperties"] = _or_null({"$ref": "#/$defs/Recipe"})
    if kind.of:
        schema = _by_name(kind, schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": defs}


def _changes(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of what a file may hold that lays itself over another: nothing is required, null resets."""
    schema = schema_of(model)
    for section in (schema, *schema["$defs"].values()):
        section.pop("required", None)
    sampling = schema["$defs"]["SamplingPolicy"]["properties"]
    sampling |= {name: _or_null(sampling[name]) for name in RESET}
    return schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _by_name(kind: Kind, entry: dict[str, Any]) -> dict[str, Any]:
    """A mapping of names to entries."""
    if kind.catalogue:
        entry.pop("required", None)  # what the catalogue has of an entry it names needs no saying
    several = {"anyOf": [entry, {"type": "array", "items": entry}]} if kind.listed else entry
    schema = {"type": "object", "additionalProperties": _or_null(several)}
    if not kind.catalogue:
        return schema
    use = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Names of the catalogue, taken over as they are",
    }
    return {**schema, "properties": {"use": use}}
