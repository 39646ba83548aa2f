"""What comes back over the wire: a chat completion, or a refusal and what it means.

Three kinds of fault tell what to do next. refused: no retry mends it, and every other request would fare the same.
busy: the endpoint turns everybody away for a while. broken: this request went wrong.
"""

import json
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import polars as pl

from am_assets.runtime.quoting import MAX_READ, quoted

ANSWER = pl.Schema(
    {
        "key": pl.String,
        "requested_model": pl.String,
        "text": pl.String,
        "reasoning": pl.String,  # where the provider sends it apart; else it stands in the text
        "finish_reason": pl.String,
        "prompt_tokens": pl.UInt32,
        "completion_tokens": pl.UInt32,
        "usage": pl.String,  # JSON as reported
        "cost": pl.Float64,  # US dollars, all tries that were answered
        "seconds": pl.Float64,  # from request to reply, without waiting for a slot
        "reported_model": pl.String,
        "fits_schema": pl.Boolean,  # null where no schema was asked for
    }
)
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
    """Some requests got no answer. Those that did are stored."""


class Fault(Exception):
    def __init__(self, kind: Kind, words: str, retry_after: float | None = None):
        super().__init__(words)
        self.kind = kind
        self.retry_after = retry_after


@dataclass
class Reply:
    text: str
    reasoning: str | None
    finish_reason: str
    usage: dict[str, Any]
    model: str
    cost: float = 0.0
    seconds: float = 0.0  # from request to reply

    @property
    def tokens(self) -> tuple[int, int]:
        """In and out, as far as the provider reports something that can be a number of tokens."""
        counts = (self.usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
        asked, answered = (count if isinstance(count, int) and 0 <= count < 2**32 else 0 for count in counts)
        return asked, answered


def answer_row(key: str, model: str, reply: Reply, fits: bool | None) -> dict[str, Any]:
    """A row of `ANSWER`."""
    usage = json.dumps(reply.usage, sort_keys=True)
    said = (reply.text, reply.reasoning, reply.finish_reason, *reply.tokens, usage)
    return dict(zip(ANSWER, (key, model, *said, reply.cost, reply.seconds, reply.model, fits), strict=True))


def refusal(status: int, said: str, headers: Any) -> Reply:
    """The reply that a refusal of this one question amounts to; `Fault` for every other status than 200."""
    if status in (400, 413, 422):
        if TOO_LONG.search(said):
            return empty("context_exceeded")
        if NOT_ALLOWED.search(said):
            return empty("content_filter")
    if status in (408, 409) or (status >= 500 and status != 503):
        raise Fault("broken", f"status {status}: {said}", retry_after(headers))
    if status in (429, 503):
        raise Fault("busy", f"status {status}: {said}", retry_after(headers))
    raise Fault("refused", f"status {status}: {ADVICE.get(status, 'refused')}. The provider said: {said}")


def retry_after(headers: Any) -> float | None:
    """Seconds a provider asks to wait, by `retry-after-ms` or `Retry-After` in either of its forms.

    A date counts from the provider's own clock: ours may be wrong, or set while we wait.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        said = headers.get("retry-after") or headers.get("Retry-After")
        if said is None or not said.strip():
            return None
        if re.fullmatch(r"\d+(\.\d+)?", said.strip()):
            return float(said)
        there = headers.get("date") or headers.get("Date")
        now = parsedate_to_datetime(there).timestamp() if there else time.time()
        return max(0.0, parsedate_to_datetime(said).timestamp() - now)
    except ValueError:
        return None


def empty(finish_reason: str) -> Reply:
    return Reply("", None, finish_reason, {}, "")


def read(content: bytes) -> Reply:
    """A chat completion as it came over the wire; `Fault` where it is none."""
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        message = choice["message"]
        text, reasoning = message.get("content"), message.get("reasoning_content") or message.get("reasoning")
        usage = body.get("usage")
        finish = choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        shown = quoted(content[:MAX_READ].decode(errors="replace"), most=100)
        raise Fault("broken", f"not a chat completion ({type(error).__name__}: {error}): {shown}") from None
    if text is None and not reasoning and finish not in ("length", "content_filter"):
        raise Fault("broken", f"an answer without content, finish reason {finish}")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(_text(text), _text(reasoning) or None, _text(finish) or "stop", usage, _text(body.get("model")))


def _text(said: Any) -> str:
    """What can be stored of what a provider says: a string, a list of parts, or something odd."""
    if isinstance(said, list):
        said = "".join(str(part.get("text") or "") for part in said if isinstance(part, dict))
    said = said if isinstance(said, str) else "" if said is None else json.dumps(said)
    return said.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text
