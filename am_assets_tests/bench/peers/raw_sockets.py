"""No client at all: prepared bytes over plain sockets. What the server and the machine allow at most."""

import asyncio
import json
import sys
from time import perf_counter

url, n, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
host, port = url.split("//")[1].split("/")[0].split(":")


def request(i: int) -> bytes:
    message = {"role": "user", "content": f"Question number {i}: what is {i} plus {i}?"}
    body = json.dumps({"model": "scripted", "messages": [message]}).encode()
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Worker(asyncio.Protocol):
    """Sends the next request whenever the answer before it is here."""

    def __init__(self, requests, answers, done) -> None:
        self.requests, self.answers, self.done, self.buffer = requests, answers, done, b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if (following := next(self.requests, None)) is not None:
            self.transport.write(following)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.rpartition(b"Content-Length: ")[2]):
            self.buffer = b""
            self.answers.append(body)
            self.send()
            if len(self.answers) == n:
                self.done.set_result(None)


async def run() -> list[bytes]:
    requests, answers, loop = iter([request(i) for i in range(n)]), [], asyncio.get_running_loop()
    done = loop.create_future()
    for _ in range(concurrency):
        await loop.create_connection(lambda: Worker(requests, answers, done), host, int(port))
    await done
    return answers


start = perf_counter()
answers = asyncio.run(run())
print(json.dumps({"seconds": perf_counter() - start, "requests": n, "answered": len(answers)}))
