"""What a provider's message says, whichever fields it uses; and that nothing of it is lost."""

import json
from typing import Any

import pytest

from am_assets.engines.llm.messages import as_it_came, finish_reason, text_of, thinking_of


@pytest.mark.parametrize(
    ("message", "thinking", "text"),
    [
        ({"content": "4"}, None, "4"),
        ({"content": "4", "reasoning_content": "2+2"}, "2+2", "4"),
        ({"content": "4", "reasoning": "2+2"}, "2+2", "4"),
        ({"content": "4", "thinking": "2+2"}, "2+2", "4"),
        ({"content": "4", "reasoning_content": "", "reasoning": "2+2"}, "2+2", "4"),
        ({"content": "4", "reasoning_content": None}, None, "4"),
        ({"content": [{"type": "thinking", "thinking": "2+2"}, {"type": "text", "text": "4"}]}, "2+2", "4"),
        (
            {"content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "2+"}, {"type": "text", "text": "2"}]},
                {"type": "text", "text": "4"},
            ]},
            "2+2", "4",
        ),
        ({"content": [{"type": "reasoning", "text": "2+2"}, {"type": "text", "text": "4"}]}, "2+2", "4"),
        ({"content": "4", "reasoning_details": [{"type": "reasoning.text", "text": "2+2"}]}, "2+2", "4"),
        ({"content": "4", "reasoning_details": [{"type": "reasoning.summary", "summary": "Add."}]}, "Add.", "4"),
        ({"content": "4", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, None, "4"),
        ({"content": "4", "thinking_blocks": [{"type": "thinking", "thinking": "2+2", "signature": "s"}]}, "2+2", "4"),
        ({"content": None, "reasoning_content": "2+2"}, "2+2", ""),
    ],
)  # fmt: skip
def test_thinking_and_text_are_told_apart(message: dict[str, Any], thinking: str | None, text: str) -> None:
    assert (thinking_of(message), text_of(message["content"])) == (thinking, text)
    stored = json.loads(as_it_came(message, "stop", text, thinking))
    left = {name: value for name, value in message.items() if value is not None and value not in (text, thinking)}
    assert stored == {**left, "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("stop", "stop"), ("eos", "stop"), ("end_turn", "stop"), ("STOP", "stop"), ("stop_sequence", "stop"),
        ("length", "length"), ("MAX_TOKENS", "length"), ("max_tokens", "length"), ("model_length", "length"),
        ("SAFETY", "content_filter"), ("refusal", "content_filter"), ("tool_calls", "tool_calls"),
        ("error", None), ("insufficient_system_resource", None), ("network_error", None), ("abort", None),
        ("", None), (None, None), (7, None), ("cancelled", None),
    ],
)  # fmt: skip
def test_an_end_is_one_of_a_closed_list_or_an_interruption(told: object, reason: str | None) -> None:
    assert finish_reason(told) == reason
