"""The schema of a model with the descriptions that its source has beside its fields."""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model and, in `$defs`, of the sections within it, each field with its `description`."""
    schema: dict[str, Any] = model.model_json_schema()
    defs = schema.get("$defs", {})
    for section in sections(model):
        properties = (schema if section is model else defs.get(section.__name__, {})).get("properties", {})
        for name, text in descriptions(section).items():
            if name in properties:
                properties[name]["description"] = text
        for name, field in section.model_fields.items():
            one = next(_models(field.annotation), None)  # a section is what its docstring says
            if name in properties and field.default_factory is not None:
                properties[name]["default"] = field.get_default(call_default_factory=True)
            if one and name in properties and "description" not in properties[name]:
                properties[name]["description"] = inspect.cleandoc(one.__doc__ or "")
    return schema


def sections(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A model and all that its fields lead to, each once."""
    found: dict[type[BaseModel], None] = {model: None}
    for field in model.model_fields.values():
        for one in _models(field.annotation):
            found |= dict.fromkeys(sections(one))
    return list(found)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """By field, inherited ones too: what stands in the comment above it, and in the one beside it."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one.__module__.startswith("am_assets."):
            found |= _comments(one)
    return {name: found[name] for name in model.model_fields if name in found}


@cache
def _comments(model: type[BaseModel]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(model))
    said: dict[int, str] = {}
    alone: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            said[token.start[0]] = token.string.lstrip("# ").strip()
            alone |= {token.start[0]} if token.line.lstrip().startswith("#") else set()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            first = node.lineno
            while first - 1 in alone:
                first -= 1
            above = " ".join(said[line] for line in range(first, node.lineno))
            beside = " ".join(said[line] for line in range(node.lineno, (node.end_lineno or 0) + 1) if line in said)
            found[node.target.id] = _joined(above, beside.removeprefix("fmt: skip").strip())
    return {name: text for name, text in found.items() if text}


def _joined(above: str, beside: str) -> str:
    parts = [part for part in (above, beside) if part]
    return " ".join(part if part.endswith((".", ";", ":", ")")) or part is parts[-1] else f"{part}." for part in parts)
