"""Structured output: parse the JSON of a reply, check it against the schema of its request, ask for a repair.

>>> read_object('<think>…</think>```json\\n{"same": true}\\n```')
{'same': True}
"""

import json
from functools import lru_cache
from typing import Any


def schema_of(sampling: str) -> str | None:
    """The JSON schema (as JSON) in the `response_format` of a request; None where it has none."""
    form = json.loads(sampling).get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema")
    return json.dumps(schema, sort_keys=True) if schema else None


def read_json(text: str) -> Any:
    """The JSON value of a reply: bare, in a code fence, or after a think part. `ValueError` where it is none."""
    try:
        return json.loads(
            text.rpartition("</think>")[2].strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object of a reply, as `read_json`; None where it is anything else."""
    try:
        value = read_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def misfit(text: str, schema: str) -> str | None:
    """Why `text` is not an instance of `schema`; None where it is."""
    from jsonschema.exceptions import best_match

    try:
        error = best_match(_validator(schema).iter_errors(read_json(text)))
    except ValueError as unread:
        return f"it is not JSON: {unread}"
    return f"{error.json_path}: {error.message}" if error else None


def repair_messages(messages: list[dict[str, Any]], answer: str, wrong: str, schema: str) -> list[dict[str, Any]]:
    """The chat extended by the answer and a request to correct what is `wrong` with it."""
    ask = f"That does not fit: {wrong[:300]}\nReply with nothing but JSON of this schema:\n{schema}"
    return [*messages, {"role": "assistant", "content": answer}, {"role": "user", "content": ask}]


@lru_cache(16)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))
