"""Parsing of replies: a chat completion, or an error classified by what to do next.

Kinds of fault: `refused`, no retry helps and every other request would fail too; `busy`, the endpoint is unavailable or
rate limited; `broken`, this request failed and may be retried.
"""

import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import polars as pl

from am_assets.engines.llm.messages import as_it_came, finish_reason, text_of, thinking_of
from am_assets.runtime.quoting import MAX_READ, quoted

ANSWER = pl.Schema(
    {
        "key": pl.String,
        "requested_model": pl.String,
        "text": pl.String,
        "reasoning": pl.String,  # where the provider returns it separately; else it is part of the text
        "finish_reason": pl.String,
        "prompt_tokens": pl.UInt32,
        "completion_tokens": pl.UInt32,
        "usage": pl.String,  # JSON as reported
        "cost": pl.Float64,  # US dollars, of all answered attempts
        "seconds": pl.Float64,  # from request to reply, without the wait for a slot
        "reported_model": pl.String,
        "fits_schema": pl.Boolean,  # null where no schema was requested
        "message": pl.String,  # JSON of the rest of the provider's message; null for an answer of an earlier version
    }
)
INTERRUPTED = "interrupted"  # the finish reason of an answer that has to be asked for again, and is never stored
Kind = Literal["refused", "busy", "broken"]
ADVICE = {
    400: "the provider refuses the request: check model name and sampling parameters of the policy",
    401: "check the API key",
    402: "the account has no credit left",
    403: "the key may not use this model",
    404: "no such model or address: check the model name and api_base",
    422: "the provider refuses the request: check the sampling parameters of the policy",
}
TOO_LONG = re.compile(r"context.{0,20}(length|size|window)|maximum.{0,20}tokens|too (long|many tokens)", re.I)
NOT_ALLOWED = re.compile(r"content.?(filter|policy|management)", re.I)


class LlmError(RuntimeError):
    """Some requests got no answer. The answers of the others were yielded."""


class Fault(Exception):
    """A failed attempt, and how it is to be handled."""

    def __init__(self, kind: Kind, message: str, retry_after: float | None = None):
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


@dataclass
class Reply:
    """A chat completion."""

    text: str
    reasoning: str | None
    finish_reason: str  # a key of `vocabulary.FINISHED`, or INTERRUPTED
    usage: dict[str, Any]
    model: str
    message: str | None = None  # JSON, see `messages.as_it_came`
    cost: float = 0.0
    seconds: float = 0.0  # from request to reply

    @property
    def tokens(self) -> tuple[int, int]:
        """Prompt and completion tokens; 0 where the provider reports none or an impossible number."""
        counts = (self.usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
        asked, answered = (count if isinstance(count, int) and 0 <= count < 2**32 else 0 for count in counts)
        return asked, answered


def answer_row(key: str, model: str, reply: Reply, fits: bool | None) -> dict[str, Any]:
    """A row of `ANSWER`; `fits` is whether the text fits the schema of its request."""
    usage = json.dumps(reply.usage, sort_keys=True)
    content = (reply.text, reply.reasoning, reply.finish_reason, *reply.tokens, usage)
    outcome = (reply.cost, reply.seconds, reply.model, fits, reply.message)
    return dict(zip(ANSWER, (key, model, *content, *outcome), strict=True))


def refusal(status: int, text: str, headers: Any) -> Reply:
    """An empty reply where an error response concerns this prompt only (too long, filtered); else raises `Fault`."""
    if status in (400, 413, 422):
        if TOO_LONG.search(text):
            return empty("context_exceeded")
        if NOT_ALLOWED.search(text):
            return empty("content_filter")
    if status in (408, 409) or (status >= 500 and status != 503):
        raise Fault("broken", f"status {status}: {text}", retry_after(headers))
    if status in (429, 503):
        raise Fault("busy", f"status {status}: {text}", retry_after(headers))
    raise Fault("refused", f"status {status}: {ADVICE.get(status, 'refused')}. The provider said: {text}")


def retry_after(headers: Any) -> float | None:
    """Seconds to wait by `retry-after-ms` or `Retry-After` (seconds or a date); None without such a header.

    A date is compared with the `Date` header, as the local clock may be wrong.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after") or headers.get("Retry-After")
        if value is None or not value.strip():
            return None
        if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
            return float(value)
        there = headers.get("date") or headers.get("Date")
        now = parsedate_to_datetime(there).timestamp() if there else time.time()
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None


def empty(finish_reason: str) -> Reply:
    """A reply without text."""
    return Reply("", None, finish_reason, {}, "")


def read(content: bytes) -> Reply:
    """The chat completion in the body of a response; `Fault` where it is none."""
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        message = choice["message"]
        text, reasoning = text_of(message.get("content")), thinking_of(message)
        mapped, usage, model = choice.get("finish_reason"), body.get("usage"), text_of(body.get("model"))
        # litellm makes `stop` of every reason that it does not know, and of errors, and keeps what the provider said.
        told = (choice.get("provider_specific_fields") or {}).get("native_finish_reason", mapped)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        shown = quoted(content[:MAX_READ].decode(errors="replace"), most=100)
        lacks = "no JSON" if isinstance(error, ValueError) else "no choices with a message"
        raise Fault(
            "broken", f"not a chat completion, but {lacks} (is api_base right?): {shown or 'nothing'}"
        ) from None
    finish = finish_reason(told) or (finish_reason(mapped) if mapped != "stop" else None) or INTERRUPTED
    if message.get("content") is None and not reasoning and finish not in ("length", "content_filter", INTERRUPTED):
        raise Fault("broken", f"an answer without content, finish reason {told}")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(text, reasoning, finish, usage, model, as_it_came(message, told, text, reasoning))
