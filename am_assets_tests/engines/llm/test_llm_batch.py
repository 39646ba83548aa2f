"""Offline batches against a real local HTTP server that plays a provider's file and batch endpoints: simulated, since
its faults have to be scripted."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import Budget, LlmError, ask_batch, batch

MODEL = "openai/scripted"


class Provider:
    """Files and batches. A batch ends as `status` after `polls` looks at it; `fails` questions get an error line."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict] = {}
        self.calls: list[str] = []
        self.polls = 1
        self.status = "completed"
        self.fails: set[str] = set()
        self.refuse: list[int] = []  # statuses of the next calls
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                self.answer(*provider.take(self.path, body))

            def do_GET(self) -> None:
                self.answer(*provider.show(self.path.partition("?")[0]))

            def answer(self, status: int, content: bytes | dict) -> None:
                payload = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def refused(self, call: str) -> tuple[int, dict] | None:
        self.calls.append(call)
        if not self.refuse:
            return None
        status = self.refuse.pop(0)
        return status, {"error": {"message": f"status {status} for key secret-of-the-test", "code": str(status)}}

    def take(self, path: str, body: bytes) -> tuple[int, bytes | dict]:
        if path.endswith("/files"):
            if refusal := self.refused("upload"):
                return refusal
            name = f"file-{len(self.files)}"
            self.files[name] = body[body.index(b'{"custom_id"') : body.rindex(b"}") + 1]
            return 200, {"id": name, "object": "file", "bytes": 1, "created_at": 0, "filename": "x", "purpose": "batch"}
        if refusal := self.refused("create"):
            return refusal
        name = f"batch-{len(self.batches)}"
        self.batches[name] = {
            "id": name, "object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h",
            "created_at": 0, "input_file_id": json.loads(body)["input_file_id"], "status": "in_progress", "seen": 0,
        }  # fmt: skip
        return 200, self.batches[name]

    def show(self, path: str) -> tuple[int, bytes | dict]:
        if path.endswith("/batches"):
            if refusal := self.refused("list"):
                return refusal
            return 200, {"object": "list", "data": list(self.batches.values()), "has_more": False}
        if path.endswith("/content"):
            return 200, self.files[path.split("/")[-2]]
        if refusal := self.refused("poll"):
            return refusal
        found = self.batches[path.split("/")[-1]]
        found["seen"] += 1
        if found["seen"] >= self.polls:
            found["status"] = self.status
            if self.status == "completed":
                found["output_file_id"] = f"out-{found['id']}"
                self.files[found["output_file_id"]] = self.output(self.files[found["input_file_id"]])
        return 200, found

    def output(self, lines: bytes) -> bytes:
        return b"\n".join(self.line(json.loads(line)) for line in reversed(lines.splitlines()))

    def line(self, asked: dict) -> bytes:
        question = asked["body"]["messages"][-1]["content"]
        message = {"role": "assistant", "content": question.upper(), "reasoning_content": "because"}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        body = {"id": "1", "object": "chat.completion", "model": "scripted-1", "choices": [choice], "usage": usage}
        response = {"status_code": 200, "body": body}
        if question in self.fails:
            response = {"status_code": 500, "body": {"error": {"message": "lost"}}}
        return json.dumps({"id": "1", "custom_id": asked["custom_id"], "response": response, "error": None}).encode()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("TEST_BATCH_KEY", "secret-of-the-test")
    monkeypatch.setattr(batch, "FIRST_POLL_SECONDS", 0.02)
    provider = Provider()
    yield provider
    provider.server.shutdown()


def requests(*questions: str) -> pl.DataFrame:
    messages = [json.dumps([{"role": "user", "content": question}]) for question in questions]
    return pl.DataFrame({"key": list(questions), "messages": messages, "sampling": '{"max_tokens": 50}'})


def endpoint(provider: Provider, **changes: object) -> Endpoint:
    prices = {"input_price": 10, "output_price": 100}
    return Endpoint(api_base=provider.url, api_key_env="TEST_BATCH_KEY", batch=True, **prices | changes)


def collect(provider: Provider, tickets: Path, *questions: str, budget: Budget | None = None) -> pl.DataFrame:
    return pl.concat(ask_batch(requests(*questions), MODEL, endpoint(provider), tickets, budget)).sort("key")


def test_every_request_gets_its_answer_at_half_the_price(provider: Provider, tmp_path: Path) -> None:
    budget = Budget()
    answers = collect(provider, tmp_path, "a", "b", "c", budget=budget)
    assert answers.select("key", "text", "reasoning").rows()[0] == ("a", "A", "because")
    assert answers["cost"].to_list() == pytest.approx([(100 * 10 + 10 * 100) / 1e6 / 2] * 3)
    assert budget.spent == pytest.approx(answers["cost"].sum())
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_what_a_batch_did_not_answer_is_left_out(provider: Provider, tmp_path: Path) -> None:
    provider.fails = {"b"}
    assert collect(provider, tmp_path, "a", "b", "c")["key"].to_list() == ["a", "c"]


@pytest.mark.parametrize("status", ["expired", "failed", "cancelled"])
def test_a_batch_that_ends_without_answers_leaves_all_out_and_no_ticket(provider, tmp_path, status: str) -> None:
    provider.status = status
    assert collect(provider, tmp_path, "a", "b").is_empty()
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_more_requests_than_a_batch_may_have_make_several(provider, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(batch, "MAX_REQUESTS", 2)
    assert collect(provider, tmp_path, *"abcde")["key"].to_list() == list("abcde")
    assert len(provider.batches) == 3


def test_answers_that_were_not_stored_are_fetched_again_and_not_paid_again(provider, tmp_path) -> None:
    taken = ask_batch(requests("a", "b"), MODEL, endpoint(provider), tmp_path)
    next(taken)
    taken.close()  # the process ends before it stores them
    assert collect(provider, tmp_path, "a", "b")["key"].to_list() == ["a", "b"]
    assert provider.calls.count("create") == 1


def test_a_batch_under_way_is_joined_by_new_requests_and_not_handed_in_again(provider, tmp_path) -> None:
    taken = ask_batch(requests("a", "b"), MODEL, endpoint(provider), tmp_path)
    next(taken)
    taken.close()
    assert collect(provider, tmp_path, "b", "c")["key"].to_list() == ["a", "b", "c"]
    inputs = [provider.files[made["input_file_id"]].count(b"custom_id") for made in provider.batches.values()]
    assert inputs == [2, 1]


def test_a_batch_created_without_our_hearing_of_it_is_found(provider, tmp_path, monkeypatch) -> None:
    create = provider.take

    def silent(path: str, body: bytes):
        made = create(path, body)
        return (500, {"error": {"message": "gone"}}) if path.endswith("/batches") and len(provider.calls) < 5 else made

    monkeypatch.setattr(provider, "take", silent)
    assert collect(provider, tmp_path, "a")["key"].to_list() == ["a"]
    assert len(provider.batches) == 1


def test_a_process_killed_while_it_waits_leaves_a_ticket_that_the_next_one_uses(provider, tmp_path) -> None:
    provider.polls = 10**9
    script = (
        "import polars as pl; from pathlib import Path; from am_assets.engines.llm import Endpoint, ask_batch\n"
        f"rows = pl.DataFrame({requests('a', 'b').to_dicts()!r})\n"
        f"e = Endpoint(api_base={provider.url!r}, api_key_env='TEST_BATCH_KEY', batch=True, input_price=1)\n"
        f"list(ask_batch(rows, {MODEL!r}, e, Path({str(tmp_path)!r})))"
    )
    waiting = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while "poll" not in provider.calls and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait()
    provider.polls = 1
    assert collect(provider, tmp_path, "a", "b")["key"].to_list() == ["a", "b"]
    assert len(provider.batches) == 1


def test_a_provider_that_is_away_for_a_moment_is_waited_for(provider, tmp_path) -> None:
    provider.refuse = [503, 500]
    assert collect(provider, tmp_path, "a")["key"].to_list() == ["a"]


def test_a_provider_that_stays_away_ends_the_wait_and_keeps_the_ticket(provider, tmp_path) -> None:
    taken = ask_batch(requests("a"), MODEL, endpoint(provider, patience_seconds=0.1), tmp_path)
    provider.polls = 2
    upload = provider.refused

    def away(call: str):
        if call == "poll":
            provider.refuse = [503]
        return upload(call)

    provider.refused = away  # type: ignore[method-assign]
    with pytest.raises(LlmError, match="the next run goes on with it"):
        list(taken)
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_wrong_key_says_what_to_fix_and_is_not_shown(provider, tmp_path) -> None:
    provider.refuse = [401]
    with pytest.raises(LlmError, match="check the API key") as error:
        collect(provider, tmp_path, "a")
    assert "secret-of-the-test" not in str(error.value)


def test_a_budget_that_the_batch_could_exceed_refuses_it_before_anything_is_handed_in(provider, tmp_path) -> None:
    with pytest.raises(LlmError, match="Nothing was handed in"):
        collect(provider, tmp_path, "a", budget=Budget(0.002))
    assert provider.calls == []
    assert collect(provider, tmp_path, "a", budget=Budget(0.003)).height == 1


def test_a_provider_without_batches_is_a_mistake_in_the_endpoints(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "none")
    with pytest.raises(ConfigError, match="remove `batch`"):
        list(ask_batch(requests("a"), "groq/some", Endpoint(batch=True), tmp_path))
