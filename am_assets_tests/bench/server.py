"""A scripted chat-completions server in a process of its own: fast enough that the client is what a benchmark measures.

Answers POST /v1/chat/completions after a scripted latency and GET /v1/models at once. Run as a script it prints its
port and serves until its stdin closes; `serving(latency=0.05)` does that for the length of a with-block.
"""

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

MODEL = "scripted"
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
MODELS = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]}).encode()
WORDS = "Adding the number to itself gives twice the number, which is the answer. "


def is_slow(message: str, share: float) -> bool:
    """Whether this last message is one of the slow ones: the same in every run and on every machine."""
    return int.from_bytes(hashlib.blake2b(message.encode(), digest_size=4).digest(), "big") < share * 2**32


def template(answer_bytes: int) -> bytes:
    """A chat completion with places to fill: its number, the question (the content begins with it), the tokens of the
    prompt, and of both together."""
    content = "@q " + (WORDS * (answer_bytes // len(WORDS) + 1))[:answer_bytes]
    tokens = max(1, answer_bytes // 4)
    message = {"role": "assistant", "content": content, "refusal": None}
    usage = {"prompt_tokens": "@p", "completion_tokens": tokens, "total_tokens": "@t"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    answer = {"id": "chatcmpl-@n", "object": "chat.completion", "created": 1700000000, "model": MODEL}
    text = json.dumps(answer | {"choices": [choice], "usage": usage, "system_fingerprint": None})
    return text.replace('"@p"', "%d").replace('"@t"', "%d").replace("@n", "%d").replace("@q", "%s").encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection. HTTP is read by hand: headers up to the blank line, then Content-Length bytes."""

    served = 0

    def __init__(self, options: argparse.Namespace, log: Any) -> None:
        self.options, self.log, self.buffer = options, log, b""
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.request(head, body)

    def request(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /v1/models"):
            self.send(b"200 OK", MODELS)
        elif not head.startswith(b"post /v1/chat/completions"):
            self.send(b"404 Not Found", b'{"error": {"message": "no such page"}}')
        else:
            messages = json.loads(body).get("messages") or [{"content": ""}]
            last = str(messages[-1]["content"])
            slow = self.options.slow_share and is_slow(last, self.options.slow_share)
            wait = self.options.slow_seconds if slow else self.options.latency
            self.loop.call_later(wait, self.answer, last, len(body) // 4)

    def answer(self, last: str, tokens: int) -> None:
        if self.transport.is_closing():  # the client went away, so nobody gets this answer and it is not logged
            return
        Connection.served += 1
        total = tokens + max(1, self.options.answer_bytes // 4)
        question = json.dumps(last)[1:-1].encode()
        self.send(b"200 OK", self.options.template % (Connection.served, question, tokens, total))
        if self.log:
            self.log.write(f"{' '.join(last.split())}\t{monotonic():.6f}\n")

    def send(self, status: bytes, body: bytes) -> None:
        self.transport.write(HEAD % (status, len(body)) + body)


async def serve(options: argparse.Namespace) -> None:
    # Line by line, so that a test reads whole lines while the server runs.
    log = open(options.log, "a", buffering=1) if options.log else None  # noqa: SIM115
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(options, log), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


@contextmanager
def serving(**options: Any) -> Iterator[str]:
    """The base URL of a server with these command line options, e.g. `serving(latency=0.01, log=path)`."""
    flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, __file__, *flags], text=True, **pipes) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--slow-share", type=float, default=0.0)
    parser.add_argument("--slow-seconds", type=float, default=1.0)
    parser.add_argument("--answer-bytes", type=int, default=400)
    parser.add_argument("--log")
    options = parser.parse_args()
    options.template = template(options.answer_bytes)
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
