"""The marked part of a page of docs/ that says what a file may have: a table of fields for each section."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from am_assets.cli.reference.described import schema_of
from am_assets.cli.reference.kinds import KINDS, Kind

HEAD = "| field | is | default | meaning |\n|---|---|---|---|"
LONGEST = 60  # characters of a default


def marked(text: str) -> str:
    """The text of a page, with its marked parts as the models are now."""
    for kind in KINDS:
        begin, end = f"<!-- fields of {kind.name} -->\n", f"<!-- end of {kind.name} -->"
        if begin in text:
            text = text[: text.index(begin) + len(begin)] + fields(kind) + text[text.index(end) :]
    return text


def pages(docs: Path) -> dict[Path, str]:
    """The pages that have a marked part, with their texts as they should be."""
    return {docs / name: marked((docs / name).read_text()) for name in sorted({kind.page for kind in KINDS})}


def fields(kind: Kind) -> str:
    """The tables of a kind, in Markdown."""
    schema = schema_of(kind.model)
    defs = schema.get("$defs", {})
    tables = list(_tables(schema, defs, ""))
    return "\n" + "\n\n".join(tables) + "\n\n"


def _tables(section: dict[str, Any], defs: dict[str, Any], path: str) -> Iterator[str]:
    rows, inner = [], []
    required = section.get("required", ())
    for name, field in section.get("properties", {}).items():
        for one, many in _sections(field, defs):
            inner.append((f"{path}{name}{'[]' if many else ''}", one))
        default = "**required**" if name in required else _default(field)
        meaning = field.get("description", "")
        rows.append(f"| `{name}` | {_type(field, defs)} | {default} | {_cell(meaning)} |")
    told = " ".join(section.get("description", "").split())
    heading = f"### `{path.rstrip('.')}`\n\n" if path else ""
    yield heading + (f"{told}\n\n" if told and path else "") + "\n".join([HEAD, *rows])
    for at, one in inner:
        yield from _tables(one, defs, f"{at}.")


def _sections(field: dict[str, Any], defs: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """The sections that a field holds, and whether it is a list or a mapping of them."""
    for option in field.get("anyOf", field.get("oneOf", [field])):
        if "$ref" in option:
            yield _resolved(option, defs), False
        for key in ("items", "additionalProperties"):
            if isinstance(option.get(key), dict) and "$ref" in option[key]:
                yield _resolved(option[key], defs), True


def _resolved(ref: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = defs[ref["$ref"].rpartition("/")[2]]
    return found


def _type(field: dict[str, Any], defs: dict[str, Any]) -> str:
    if options := field.get("anyOf", field.get("oneOf")):
        return " or ".join(dict.fromkeys(_type(one, defs) for one in options))
    if "$ref" in field:
        return "a section"
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = field.get("type")
    if kind == "array":
        return f"list of {_type(field['items'], defs)}" if field.get("items") else "list"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"mapping of names to {_type(inner, defs)}" if isinstance(inner, dict) else "mapping"
    words = {"string": "text", "boolean": "true, false", "null": "null", "integer": "integer", "number": "number"}
    return words.get(str(kind), "any") + _bounds(field)


def _bounds(field: dict[str, Any]) -> str:
    least = [f"≥ {field['minimum']:g}"] if "minimum" in field else []
    least += [f"> {field['exclusiveMinimum']:g}"] if "exclusiveMinimum" in field else []
    most = [f"≤ {field['maximum']:g}"] if "maximum" in field else []
    most += [f"< {field['exclusiveMaximum']:g}"] if "exclusiveMaximum" in field else []
    return "".join(f" {one}" for one in [", ".join([*least, *most])] if one)


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if (isinstance(value, dict) and value) or "$ref" in field:
        return "its own"
    shown = json.dumps(value, ensure_ascii=False)
    return f"`{_cell(shown)}`" if len(shown) <= LONGEST else f"`{_cell(shown[: LONGEST - 2])} …`"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))
