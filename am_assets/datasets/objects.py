"""Published responses that are objects: with their model, their thinking and why they ended, under the names that data
sets and servers have for these, also in the form of the choices of a chat completion."""

from collections.abc import Mapping
from typing import Any

from am_assets.datasets.adapters.base import Fault, whole
from am_assets.datasets.chats import ROLE, SAID, named, speaker, thinking, with_thinking
from am_assets.datasets.rows import some_of
from am_assets.datasets.values import text, typed

TEXT = ("response", *SAID, "completion", "generation", "output", "answer", "solution")
TEACHER = ("teacher", "model", "response_model", "model_name", "generator", "modelVersion")
ENDED = ("finish_reason", "stop_reason", "finishReason", "done_reason")
SENT = ("choices", "candidates")  # the answers in what a server sent


def is_objects(value: Any) -> bool:
    """Whether a value is an object, or a list of responses of which some are; a chat and parts of a text are none."""
    return _answers(value) or (
        isinstance(value, list)
        and all(one is None or isinstance(one, str) or _answers(one) for one in value)
        and any(isinstance(one, Mapping) for one in value)
    )


def of_objects(value: Any, teacher: str | None) -> tuple[list[tuple[str | None, str]], set[str]]:
    """The teachers and texts of an object, or of a list of objects, texts and nulls, and notes on those that are left
    out (`finished`); those that name no teacher are of `teacher`. `Fault` where an object has no text by a known name.
    """
    listed = [one for sent in (value if isinstance(value, list) else [value]) for one in _answers_in(sent)]
    read = [_read(one) if isinstance(one, Mapping) else (None, text(one) or "", None) for one in listed]
    said = [(model or teacher, response) for model, response, _ in read]
    reasons = [reason for _, _, reason in read]
    return whole(said, reasons) if any(reasons) else (said, set())


def _answers_in(sent: Any) -> list[Any]:
    """What a server sent as the answers in it, each with the name of the model; anything else as it is."""
    name = next((name for name in SENT if isinstance(sent, Mapping) and isinstance(sent.get(name), list)), None)
    named = {key: sent[key] for key in TEACHER if key in sent} if name else {}
    return [{**named, **one} if isinstance(one, Mapping) else one for one in sent[name]] if name else [sent]


def _read(one: Mapping[str, Any]) -> tuple[str | None, str, str | None]:
    """Teacher, text, and why it ended."""
    flat = {**one, **one["message"]} if isinstance(one.get("message"), Mapping) else one
    if flat.keys().isdisjoint(TEXT):
        raise Fault(f"a response with {some_of([*flat]) or 'nothing'}, of which none is its text: {some_of([*TEXT])}")
    content = typed(flat.get(named(flat, TEXT)))
    ended = "length" if flat.get("status") == "incomplete" else _first(flat, ENDED)
    return _first(flat, TEACHER), with_thinking(thinking(flat, content), text(content) or ""), ended


def _answers(value: Any) -> bool:
    if not isinstance(value, Mapping) or value.get("type") not in (None, "message"):
        return False
    role = named(value, ROLE)
    return not role or speaker(value[role]) == "assistant"


def _first(flat: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first text among these; servers have numbers there too."""
    return next((text(flat[name]) for name in names if isinstance(flat.get(name), str)), None)
