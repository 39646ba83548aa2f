"""A local webhook that keeps what it is sent, and may refuse."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep


class Webhook:
    def __init__(self) -> None:
        self.received: list[dict] = []
        self.refuses = False
        self.seconds = 0.0  # before it answers
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if not hook.refuses:
                    hook.received.append(json.loads(body))
                sleep(hook.seconds)
                self.send_response(503 if hook.refuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"json://user:secret@127.0.0.1:{self.server.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]
