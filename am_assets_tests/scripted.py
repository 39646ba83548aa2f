"""A simulated teacher: a real HTTP server whose answers and faults are scripted. Only for tests that need faults."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import polars as pl


@dataclass
class Reply:
    """`body` as JSON, or as it stands where it is bytes. `cut` closes the connection after half of it."""

    status: int = 200
    body: dict | bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    seconds: float = 0.0  # before it is sent


def answer(text: str | None, finish: str | None = "stop", **message: str) -> Reply:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted-1"}
    return Reply(body=body | {"choices": [choice], "usage": usage})


def refusal(status: int, words: str = "", **headers: str) -> Reply:
    error = {"message": words or f"status {status}", "type": "error", "code": str(status)}
    return Reply(status, {"error": error}, {name.replace("_", "-"): value for name, value in headers.items()})


Script = Callable[[str, int], Reply]


class Teacher:
    """Answers `script(question, nth time it is asked)`; remembers what it was asked, when, and how many at once."""

    def __init__(self, script: Script, port: int = 0):
        self.script = script
        self.asked: list[str] = []
        self.bodies: list[dict] = []
        self.times: list[float] = []
        self.most_open = self.open = 0
        lock = threading.Lock()
        teacher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                question = body["messages"][-1]["content"]
                with lock:
                    teacher.times.append(monotonic())
                    teacher.asked.append(question)
                    teacher.bodies.append(body)
                    teacher.open += 1
                    teacher.most_open = max(teacher.most_open, teacher.open)
                    nth = teacher.asked.count(question)
                reply = teacher.reply(body, nth)
                sleep(reply.seconds)
                with lock:
                    teacher.open -= 1
                self.send(reply)

            def send(self, reply: Reply) -> None:
                payload = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response_only(reply.status)
                for name, value in ({"content-type": "application/json"} | reply.headers).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload[: len(payload) // 2] if reply.cut else payload)
                self.close_connection = reply.cut

            def log_message(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def reply(self, body: dict, nth: int) -> Reply:
        return self.script(body["messages"][-1]["content"], nth)

    def stop(self) -> None:
        """Stop listening and drop every connection, as a server that dies."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.connections: list = []

    def process_request(self, request, client_address) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address) -> None:
        pass  # connections that the test drops


def requests(*questions: str, sampling: str = '{"max_tokens": 8}') -> pl.DataFrame:
    messages = [json.dumps([{"role": "user", "content": question}]) for question in questions]
    return pl.DataFrame({"key": list(questions), "messages": messages, "sampling": sampling})
