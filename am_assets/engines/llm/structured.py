"""Answers that must be JSON of a given schema: checked, and asked for once more where they are not."""

import json
from functools import lru_cache
from typing import Any


def schema_of(sampling: str) -> str | None:
    """The JSON schema (as JSON) that a request's `response_format` asks for."""
    form = json.loads(sampling).get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema")
    return json.dumps(schema, sort_keys=True) if schema else None


def read_json(text: str) -> Any:
    """The JSON value that `text` is, alone, in a code fence or after a think part; `ValueError` where it is none."""
    try:
        return json.loads(
            text.rpartition("</think>")[2].strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def misfit(text: str, schema: str) -> str | None:
    """What is wrong with `text` as an instance of `schema`; None where it fits."""
    from jsonschema.exceptions import best_match

    try:
        error = best_match(_validator(schema).iter_errors(read_json(text)))
    except ValueError as unread:
        return f"it is not JSON: {unread}"
    return f"{error.json_path}: {error.message}" if error else None


def repair_messages(messages: list[dict], answer: str, wrong: str, schema: str) -> list[dict]:
    """The chat that shows the model its answer and what is wrong with it."""
    ask = f"That does not fit: {wrong[:300]}\nReply with nothing but JSON of this schema:\n{schema}"
    return [*messages, {"role": "assistant", "content": answer}, {"role": "user", "content": ask}]


@lru_cache(16)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))
