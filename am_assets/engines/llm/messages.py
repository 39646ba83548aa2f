"""What a provider's message says: text, thinking, and why it ended.

Providers return the same three things in different fields. They are read here; the message itself is stored beside
them, so that a field read wrongly is mended without asking again.
"""

import json
from typing import Any

from am_assets.config.vocabulary import FINISH_REASONS

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text")
THINKING_PARTS = ("thinking", "reasoning")  # types of content parts


def finish_reason(told: Any) -> str | None:
    """A key of `FINISHED`; None for an answer that was interrupted, or of which the provider tells no end.

    >>> finish_reason("MAX_TOKENS"), finish_reason("insufficient_system_resource"), finish_reason(None)
    ('length', None, None)
    """
    return FINISH_REASONS.get(told.lower()) if isinstance(told, str) else None


def text_of(content: Any) -> str:
    """The text of a message's content, which may be a string, a list of parts or any other JSON, as valid UTF-8.
    Parts that think are no text."""
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"text": part} for part in content]
        content = "".join(_string(part.get("text")) for part in parts if part.get("type") not in THINKING_PARTS)
    text: str = content if isinstance(content, str) else "" if content is None else json.dumps(content)
    return text.encode("utf-8", "replace").decode()  # replaces lone surrogates


def thinking_of(message: dict[str, Any]) -> str | None:
    """The thinking that a message holds beside its text: in a field of its own, among the parts of the content, or in
    `reasoning_details`. None where it holds none, or none that is readable."""
    for name in REASONING_FIELDS:
        if isinstance(message.get(name), str) and message[name].strip():
            return text_of(message[name])
    for parts in (message.get("content"), message.get("thinking_blocks"), message.get("reasoning_details")):
        found = [_thought(part) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        if thought := "".join(found).strip():
            return text_of(thought)
    return None


def as_it_came(message: dict[str, Any], finish: Any, text: str, reasoning: str | None) -> str:
    """JSON of the message and its finish reason, without what `text` and `reasoning` already say word by word."""
    said = (text, reasoning)
    rest = {name: value for name, value in message.items() if value is not None and value not in said}
    return json.dumps({**rest, "finish_reason": finish}, sort_keys=True)


def _thought(part: dict[str, Any]) -> str:
    """The text of a part that thinks: {"type": "thinking", "thinking": text or parts}, {"type": "reasoning.text",
    "text": …}, {"type": "reasoning.summary", "summary": …}; empty for others and for encrypted ones."""
    if not str(part.get("type")).startswith(THINKING_PARTS):
        return ""
    said = next((part[name] for name in ("thinking", "reasoning", "text", "summary") if part.get(name)), "")
    if isinstance(said, list):
        return "".join(_string(one.get("text")) for one in said if isinstance(one, dict))
    return _string(said)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
