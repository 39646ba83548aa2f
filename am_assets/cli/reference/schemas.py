"""JSON schemas of a project's files, for editors: `# yaml-language-server: $schema=schemas/sources.json`."""

import json
from typing import Any

from am_assets.cli.reference.described import schema_of
from am_assets.cli.reference.kinds import KINDS, Kind

FOLDER = "schemas"  # of a project, beside its files


def schemas() -> dict[str, str]:
    """The text of each file of FOLDER, by its name."""
    return {f"{kind.name}.json": json.dumps(_schema(kind), indent=1, ensure_ascii=False) + "\n" for kind in KINDS}


def _schema(kind: Kind) -> dict[str, Any]:
    schema = schema_of(kind.model)
    defs = schema.pop("$defs", {})
    if kind.partial:
        for one in (schema, *defs.values()):
            one.pop("required", None)
        schema["properties"]["extends"] = {"type": "string", "description": "The recipe that this one changes"}
    if kind.name == "experiment":
        from am_assets.config.recipe import Recipe

        recipe = schema_of(Recipe)
        changes = {**recipe.pop("$defs"), "Recipe": recipe}
        for one in changes.values():
            one.pop("required", None)
        defs |= changes
        variants = {"anyOf": [{"$ref": "#/$defs/Recipe"}, {"type": "null"}]}
        schema["properties"]["variants"]["additionalProperties"] = variants
    if kind.of:
        schema = _by_name(kind, schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": defs}


def _by_name(kind: Kind, entry: dict[str, Any]) -> dict[str, Any]:
    """A mapping of names to entries."""
    entries: list[dict[str, Any]] = [{"type": "null"}, entry]
    if kind.listed:
        entries.append({"type": "array", "items": entry})
    if not kind.catalogue:
        return {"type": "object", "additionalProperties": {"anyOf": entries}}
    entry.pop("required", None)  # what the catalogue has of an entry it names needs no saying
    use = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Names of the catalogue, taken over as they are",
    }
    return {"type": "object", "properties": {"use": use}, "additionalProperties": {"anyOf": entries}}
