"""Serve a Hugging Face folder over the OpenAI protocol on loopback: `transformers serve` with continuous batching.

    AM_SERVER_KEY=… python -m am_assets.engines.serving.hosted FOLDER --host 127.0.0.1 --port 8080 --dtype float32

It is the server of the package, with two things that it lacks: an API key, and requests whose sampling counts. Its
continuous batching samples all requests as the first one asked (transformers 5.23), so that a request with another
temperature waits here until those before it are answered, and its batching starts anew.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from am_assets.engines.serving.servers import KEY

Message = Any  # a mapping, see the ASGI specification
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
CHAT = "/v1/chat/completions"


class Guarded:
    """An ASGI application behind an API key, that answers requests of one sampling at a time. `anew` forgets it."""

    def __init__(self, served: Application, key: str, defaults: dict[str, Any], anew: Callable[[], None]):
        self.served = served
        self.key = f"Bearer {key}".encode()
        self.defaults = defaults
        self.anew = anew
        self.sampling: str | None = None
        self.open = 0
        self.changed = asyncio.Condition()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.served(scope, receive, send)
        elif scope["path"] != "/health" and dict(scope["headers"]).get(b"authorization") != self.key:
            await answer(send, 401, "no or another API key")
        elif scope["path"] == CHAT and scope["method"] == "POST":
            await self.chat(scope, receive, send)
        else:
            await self.served(scope, receive, send)

    async def chat(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = json.loads(await whole(receive))
            sampling = self.sampling_of(body)
            body["generation_config"] = json.dumps(sampling)
        except (ValueError, TypeError, AttributeError):
            await answer(send, 400, "the body is no request in JSON")
            return
        async with self.changed:
            own = json.dumps(sampling, sort_keys=True)
            while self.sampling != own:
                if not self.open:
                    self.anew()
                    self.sampling = own
                else:
                    await self.changed.wait()
            self.open += 1
        try:
            await self.served(scope, again(json.dumps(body).encode(), receive), send)
        finally:
            async with self.changed:
                self.open -= 1
                self.changed.notify_all()

    def sampling_of(self, body: Message) -> Message:
        """What a request asks for, in words of a generation config; the limit of tokens is not part of it, being kept
        apart for each request. Takes from `body` what the server would refuse."""
        temperature = float(body.get("temperature", 1.0))
        asked: Message = {"do_sample": temperature > 0, "top_k": 0}
        if temperature > 0:
            asked |= {"temperature": temperature, "top_p": float(body.get("top_p", 1.0))}
        for name in ("top_k", "repetition_penalty"):
            value = body.pop(name, None)
            if value is not None and not (name == "top_k" and value <= 0):
                asked[name] = value
        return self.defaults | asked


async def whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that yields `body`, then what `receive` does."""
    given = False

    async def first() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return first


async def answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"error": {"message": words, "code": str(status)}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def ends_of(folder: str) -> dict[str, Any]:
    """The tokens that end, begin and pad an answer, of the weights' own generation config."""
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template is None:
        raise SystemExit(f"{folder}: its tokenizer has no chat template, so no chat can be put to it")
    try:
        config = GenerationConfig.from_pretrained(folder)
    except OSError:  # it is optional
        config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)  # type: ignore[no-untyped-call]
    names = ("eos_token_id", "bos_token_id", "pad_token_id")
    return {name: value for name in names if (value := getattr(config, name)) is not None}


def main() -> None:
    folder, *arguments = sys.argv[1:]
    defaults = ends_of(folder)
    from transformers.cli.serving import server
    from transformers.cli.transformers import app

    build = server.build_server

    def guarded(*parts: Any, **named: Any) -> Guarded:
        """The server's application, guarded."""
        return Guarded(build(*parts, **named), os.environ[KEY], defaults, named["generation_state"].shutdown)

    server.build_server = guarded  # type: ignore[assignment]
    app(["serve", folder, "--continuous-batching", *arguments])


if __name__ == "__main__":
    main()
