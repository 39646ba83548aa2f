"""Stands in for vllm and sglang, which no machine of the tests has: it takes their arguments and speaks their protocol.

`STANDIN` names a folder. `says.json` there is how it behaves; it writes its starts to `starts` and what it was asked to
`asked`, a line each. It needs nothing but the standard library, so that it starts at once.
"""

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOME = Path(os.environ["STANDIN"])
SAYS = json.loads((HOME / "says.json").read_text())


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def note(file: str, **what) -> None:
    with (HOME / file).open("a") as out:
        out.write(json.dumps(what) + "\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/health" else 404, b"{}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = os.environ.get("VLLM_API_KEY") or option("--api-key")
        if self.headers["authorization"] != f"Bearer {key}":
            return self.answer(401, b"{}")
        question = body["messages"][-1]["content"]
        note("asked", question=question, at=time.time(), pid=os.getpid(), body=body)
        time.sleep(SAYS.get("seconds", 0))
        garbage = SAYS.get("garbage")
        if garbage and (SAYS.get("always") or self.first(question)):
            return self.answer(SAYS.get("status", 200), garbage.encode())
        message = {"role": "assistant", "content": f"answer to {question}"}
        reply = {"id": "1", "object": "chat.completion", "created": 0}
        reply["model"] = SAYS.get("model") or option("--served-model-name")
        reply["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        reply["usage"] = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        self.answer(200, json.dumps(reply).encode())
        note("answered", question=question, at=time.time())

    def first(self, question: str) -> bool:
        lines = (HOME / "asked").read_text().splitlines()
        return sum(json.loads(line)["question"] == question for line in lines) == 1

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    worker = subprocess.Popen(["sleep", "1000"])  # engines have worker processes
    note(
        "starts",
        at=time.time(),
        pid=os.getpid(),
        worker=worker.pid,
        argv=sys.argv[1:],
        gpus=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )
    if "log" in SAYS:
        print(SAYS["log"], file=sys.stderr, flush=True)
        sys.exit(SAYS.get("exit", 1))
    time.sleep(SAYS.get("loads", 0))
    server = Server((option("--host"), int(option("--port"))), Handler)
    threading.Thread(target=server.serve_forever).start()
