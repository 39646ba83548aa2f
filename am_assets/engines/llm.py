"""Language models, through litellm: requests in, answers out, as a bounded stream.

Labels, teaching and judging all ask here. A request is identified by model, messages, sampling, response schema and
sample index; where the model is reached, how many requests run at once and what a token costs is runtime
configuration (`data/endpoints.yaml`) and no part of any identity. What an answer means is the asking stage's business.
"""

import asyncio
import json
import os
import queue
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from am_assets.recipe import ConfigError, Section, parse, read_yaml

# Before litellm is imported anywhere: its price table comes with the package, not from the network.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

EMBEDDED = "embedded/"
ANSWER = pl.Schema(
    {
        "key": pl.String,
        "text": pl.String,
        "finish_reason": pl.String,
        "prompt_tokens": pl.UInt32,
        "completion_tokens": pl.UInt32,
        "cost": pl.Float64,
        "seconds": pl.Float64,
        "reported_model": pl.String,
    }
)


class Endpoint(Section):
    """How one model is reached. Nothing here identifies an answer."""

    gguf: str | None = None  # embedded models: a file; null for the bundled one
    context: Annotated[int, Field(ge=256)] = 2048  # embedded models: tokens a slot
    api_base: str | None = None
    api_key_env: str | None = None  # the *name* of an environment variable
    concurrency: Annotated[int, Field(ge=1)] = 4
    timeout_seconds: Annotated[float, Field(gt=0)] = 600
    retries: Annotated[int, Field(ge=0)] = 5
    input_price: Annotated[float, Field(ge=0)] | None = None  # dollars per million tokens; null asks litellm's table
    output_price: Annotated[float, Field(ge=0)] | None = None


class LlmError(RuntimeError):
    """Some requests got no answer. Those that did are stored."""


def load_endpoints(path: Path) -> dict[str, Endpoint]:
    """Endpoints by model name; a model without an entry is reached the way litellm reaches it by default."""
    if not path.exists():
        return {}
    content = read_yaml(path)
    return {name: parse(Endpoint, entry or {}, f"{path}: {name}") for name, entry in content.items()}


def ask(requests: pl.DataFrame, model: str, endpoint: Endpoint) -> Iterator[pl.DataFrame]:
    """Answers to `requests` (columns key, messages, sampling; the last two JSON), in frames of columns `ANSWER`.

    A frame is yielded about once a second with what has come in, in the order it came: no request waits for another.
    Raises `LlmError` after the last answer when requests stayed unanswered, and as soon as those in flight have ended
    on a fault that no retry mends (authentication, a model or a request that the provider refuses).
    """
    arrived: queue.Queue[dict | Exception | None] = queue.Queue()
    stop = threading.Event()
    target = reach(model, endpoint)
    thread = threading.Thread(
        target=lambda: asyncio.run(_stream(requests, target, endpoint, arrived, stop)), daemon=True
    )
    thread.start()
    faults: list[Exception] = []
    running = True
    try:
        while running:
            items = _drain(arrived, seconds=1.0)
            running = not items or items[-1] is not None
            faults += [item for item in items if isinstance(item, Exception)]
            answers = [item for item in items if isinstance(item, dict)]
            if answers:
                yield pl.DataFrame(answers, schema=ANSWER)
    finally:
        stop.set()
        thread.join()
    if faults:
        raise LlmError(
            f"{model}: {len(faults)} request(s) of {requests.height} got no answer; what was answered is stored and"
            f" won't be asked again. First fault: {type(faults[0]).__name__}: {faults[0]}"
        )


def reach(model: str, endpoint: Endpoint) -> dict[str, Any]:
    """litellm's arguments that say where `model` answers; starts the embedded server where it is an embedded model."""
    if model.startswith(EMBEDDED):
        from am_assets.engines.local_model import embedded_gguf, serve

        gguf = Path(os.path.expandvars(endpoint.gguf)) if endpoint.gguf else embedded_gguf()
        base = serve(gguf, context=endpoint.context, slots=endpoint.concurrency)
        return {"model": f"openai/{model.removeprefix(EMBEDDED)}", "api_base": base, "api_key": "none"}
    target: dict[str, Any] = {"model": model}
    if endpoint.api_base:
        target["api_base"] = endpoint.api_base
    if endpoint.api_key_env:
        if endpoint.api_key_env not in os.environ:
            raise ConfigError(f"{model}: the environment variable {endpoint.api_key_env} (its API key) is not set")
        target["api_key"] = os.environ[endpoint.api_key_env]
    return target


def _drain(arrived: queue.Queue, seconds: float) -> list:
    """What arrives within `seconds`, up to and including the None that ends the stream."""
    deadline = time.monotonic() + seconds
    items: list = []
    while (left := deadline - time.monotonic()) > 0:
        try:
            items.append(arrived.get(timeout=left))
        except queue.Empty:
            break
        if items[-1] is None:
            break
    return items


async def _stream(
    requests: pl.DataFrame, target: dict, endpoint: Endpoint, arrived: queue.Queue, stop: threading.Event
) -> None:
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    hopeless = (
        litellm.AuthenticationError,
        litellm.BadRequestError,
        litellm.NotFoundError,
        litellm.PermissionDeniedError,
    )
    rows = requests.iter_rows(named=True)

    async def worker() -> None:
        for row in rows:
            if stop.is_set():
                return
            try:
                arrived.put(await _complete(row, target, endpoint))
            except hopeless as fault:
                stop.set()
                arrived.put(fault)
            except Exception as fault:
                arrived.put(fault)

    try:
        await asyncio.gather(*(worker() for _ in range(endpoint.concurrency)))
    finally:
        arrived.put(None)


async def _complete(row: dict, target: dict, endpoint: Endpoint) -> dict:
    import litellm

    started = time.monotonic()
    for attempt in range(endpoint.retries + 1):
        try:
            reply = await litellm.acompletion(
                **target,
                messages=json.loads(row["messages"]),
                **json.loads(row["sampling"]),
                timeout=endpoint.timeout_seconds,
                max_retries=0,
                drop_params=True,
            )
            break
        except litellm.ContextWindowExceededError:
            return _answer(row["key"], "", "context_exceeded", 0, 0, 0.0, time.monotonic() - started, target["model"])
        except (
            litellm.RateLimitError,
            litellm.APIConnectionError,
            litellm.InternalServerError,
            litellm.ServiceUnavailableError,
            litellm.Timeout,
        ):
            if attempt == endpoint.retries:
                raise
            await asyncio.sleep(min(60, 2**attempt) * random.uniform(0.5, 1))
    choice = reply.choices[0]
    text = choice.message.content or ""
    reasoning = getattr(choice.message, "reasoning_content", None)
    if reasoning:
        text = f"<think>{reasoning}</think>{text}"
    asked, answered = reply.usage.prompt_tokens, reply.usage.completion_tokens
    cost = _cost(reply, asked, answered, target, endpoint)
    seconds = time.monotonic() - started
    return _answer(
        row["key"], text, choice.finish_reason, asked, answered, cost, seconds, reply.model or target["model"]
    )


def _answer(*values: Any) -> dict:
    return dict(zip(ANSWER, values, strict=True))


def _cost(reply: Any, asked: int, answered: int, target: dict, endpoint: Endpoint) -> float:
    """Dollars: by the endpoint's prices where given, else by litellm's table, 0 for a model it does not list."""
    if endpoint.input_price is not None or endpoint.output_price is not None:
        return (asked * (endpoint.input_price or 0) + answered * (endpoint.output_price or 0)) / 1_000_000
    import litellm

    try:
        return litellm.completion_cost(reply, model=target["model"])
    except Exception:  # litellm raises a plain Exception for a model without a listed price
        return 0.0
