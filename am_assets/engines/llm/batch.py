"""The same requests through a provider's offline batch endpoint: answers within hours, at a lower price.

Pending batches are recorded in tickets (`tickets.py`), so that a later process resumes those of one that died. A batch
is created only after its ticket is on disk, and after a search for it at the provider, so that none is paid for twice.
Live processes never request the same keys (`storage/claims.py`), but several may need keys of one ticket of a dead
process: then each fetches its answers; changes of the tickets are made under a lock.
"""

import fcntl
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import structured
from am_assets.engines.llm.money import CHARS_A_TOKEN, SPENT, Budget
from am_assets.engines.llm.replies import ADVICE, ANSWER, INTERRUPTED, Fault, LlmError, answer_row, read, refusal
from am_assets.engines.llm.routing import backoff
from am_assets.engines.llm.tickets import Ticket, open_tickets
from am_assets.engines.llm.wire import Wire

PROVIDERS = {"openai", "hosted_vllm"}  # litellm's names of providers with OpenAI's batch API
CHAT = "/v1/chat/completions"
MAX_REQUESTS = 50_000  # per batch, OpenAI's limit
MAX_BYTES = 150_000_000
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 60.0
ENDED = {"completed", "failed", "expired", "cancelled"}
Pending = tuple[Ticket, pl.DataFrame]  # with the keys and sampling of its requests


def ask_batch(
    requests: pl.DataFrame,
    model: str,
    endpoint: Endpoint,
    tickets: Path,
    budget: Budget | None = None,
    refused: Callable[[], str | None] = lambda: None,
) -> Iterator[pl.DataFrame]:
    """Answers to `requests` (as in `stream.ask`) in frames of columns `ANSWER`, one per batch, as batches end.

    Requests that their batch did not answer are left out; `stream.ask` is to ask them. Tickets are kept in the folder
    `tickets`; one is removed when the frame after its answers is requested, that is after they were stored. `LlmError`
    where the provider rejects a batch, does not respond within the endpoint's patience, or the budget does not suffice;
    `ConfigError` where the provider has no batches, or no price is known while there is a budget.
    """
    client = _BatchClient(model, endpoint, budget or Budget(within=SPENT))
    tickets.mkdir(parents=True, exist_ok=True)
    with _ticket_lock(tickets):
        found = [(ticket, ticket.keys()) for ticket in open_tickets(tickets, model, endpoint.api_base)]
    pending = [(ticket, keys) for ticket, keys in found if not _sharing_keys(keys, requests).is_empty()]
    asked = pl.concat([pl.DataFrame(schema={"key": pl.String}), *(keys.select("key") for _, keys in pending)])
    new = requests.join(asked, on="key", how="anti", maintain_order="left")
    if new.height or not all(ticket.batch_id for ticket, _ in pending):
        if reason := refused():
            raise LlmError(f"{model}: {reason}")
        client.check_budget(requests)
    pending += [client.upload(part, lines, tickets) for part, lines in _batches_of(new, client)]
    pending = [(ticket if ticket.batch_id else client.create(ticket, keys), keys) for ticket, keys in pending]
    yield from _answered(pending, requests, client)


def _answered(pending: list[Pending], requests: pl.DataFrame, client: "_BatchClient") -> Iterator[pl.DataFrame]:
    pause = FIRST_POLL_SECONDS
    while pending:
        waiting = []
        for ticket, keys in pending:
            try:
                answers = client.answers(ticket, keys, requests)
            except LlmError as error:
                raise LlmError(
                    f"{error}. The batch is that of {ticket.path}: without this file its requests are asked, and paid"
                    " for, again"
                ) from None
            if answers is None:
                waiting.append((ticket, keys))
                continue
            yield answers
            with _ticket_lock(ticket.path.parent):
                if ticket.path.exists():  # else another process, which fetched the answers too, removed it
                    ticket.remove()
        if len(waiting) < len(pending):
            pause = FIRST_POLL_SECONDS
        pending = waiting
        if pending:
            time.sleep(pause)
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)


class _BatchClient:
    """The batch API of the provider of one model."""

    def __init__(self, model: str, endpoint: Endpoint, budget: Budget):
        # No wire for a model that is served here: it would start its server.
        wire = None if endpoint.served(model) else Wire(model, endpoint.model_copy(update={"batch": True}))
        if wire is None or wire.provider not in PROVIDERS:
            raise ConfigError(
                f"{model}: no offline batches through {wire.provider if wire else 'a server of this machine'}, only"
                f" through {', '.join(sorted(PROVIDERS))}; remove `batch` from its endpoint"
            )
        if budget.limited and wire.prices is None:
            raise ConfigError(
                f"{model}: there is a budget but no price: set input_price and output_price in endpoints.yaml"
            )
        self.model = model
        self.wire = wire
        self.budget = budget
        factor = wire.endpoint.batch_price_factor
        self.price_in, self.price_out = (price * factor / 1e6 for price in wire.prices or (0.0, 0.0))

    def check_budget(self, rows: pl.DataFrame) -> None:
        """`LlmError` where the requests could cost more than the budget has left: a batch can't be stopped.

        `rows` includes those of pending batches, whose costs are counted when they are fetched.
        """
        limits = rows["sampling"].str.json_path_match("$.max_tokens").cast(pl.Int64, strict=False).fill_null(0)
        prompts = int(rows["messages"].str.len_chars().sum()) // CHARS_A_TOKEN
        most = prompts * self.price_in + int(limits.sum()) * self.price_out
        if reason := self.budget.reached(most):
            raise LlmError(
                f"{self.model}: {reason}. Nothing was handed in: at their token limits the requests cost ${most:.4f};"
                " raise the budget, lower max_tokens, or take `batch` from the endpoint"
            )

    def upload(self, rows: pl.DataFrame, lines: bytes, tickets: Path) -> Pending:
        """Upload the input, which costs nothing yet, and write its ticket."""
        file = self.call("create_file", file=("requests.jsonl", lines), purpose="batch")
        path = tickets / f"{uuid.uuid4().hex}.json"
        ticket = Ticket(path, self.model, self.wire.endpoint.api_base, file.id, time.time())
        keys = rows.select("key", "sampling")
        ticket.write(keys)
        return ticket, keys

    def create(self, ticket: Ticket, keys: pl.DataFrame) -> Ticket:
        """The ticket with the id of its batch, which is created unless an earlier attempt did so unnoticed."""
        with _ticket_lock(ticket.path.parent):
            ticket = replace(ticket, batch_id=self._batch_of(ticket.file_id))
            ticket.write(keys)
        return ticket

    def _batch_of(self, file_id: str) -> str:
        wanted = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}

        def found_or_created() -> Any:
            found = next((one for one in self._batches() if one.input_file_id == file_id), None)
            return found or self._once("create_batch", **wanted)

        return str(self._patiently(found_or_created).id)

    def answers(self, ticket: Ticket, keys: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame | None:
        """The answers of an ended batch (none where it failed before it began); None while it is pending."""
        batch = self.call("retrieve_batch", batch_id=ticket.batch_id)
        if batch.status not in ENDED:
            return None
        if not batch.output_file_id:
            return pl.DataFrame(schema=ANSWER)
        content = self.call("file_content", file_id=batch.output_file_id).content
        asked = {row["key"]: row.get("sampling", "{}") for row in keys.iter_rows(named=True)}
        # Tickets of older versions have keys only.
        asked |= dict(_sharing_keys(requests, keys).select("key", "sampling").rows())
        rows = [self._row(line, asked, ticket) for line in content.splitlines()]
        return pl.DataFrame([row for row in rows if row], schema=ANSWER)

    def _row(self, line: bytes, asked: dict[str, str], ticket: Ticket) -> dict[str, Any] | None:
        """The row of one line of output, whose key is removed from `asked`; None where it does not answer one of them.

        A malformed line must not prevent the others from being stored: they are paid for.
        """
        try:
            output = json.loads(line)
            key, response = output["custom_id"], output["response"]
            status, body = response["status_code"], json.dumps(response.get("body"))
            reply = read(body.encode()) if status == 200 else refusal(status, body, {})
            schema = structured.schema_of(asked.pop(key))
        except (Fault, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        tokens_in, tokens_out = reply.tokens
        reply.cost = tokens_in * self.price_in + tokens_out * self.price_out
        reply.seconds = time.time() - ticket.submitted
        self.budget.add(reply.cost)
        if reply.finish_reason == INTERRUPTED:
            return None
        fits = structured.misfit(reply.text, schema) is None if schema else None
        return answer_row(key, self.model, reply, fits)

    def _batches(self) -> Iterator[Any]:
        """All batches of the account, newest first, page by page."""
        after = None
        while True:
            page = self.call("list_batches", limit=100, **({"after": after} if after else {}))
            yield from page.data
            if not getattr(page, "has_more", False) or not page.data:
                return
            after = page.data[-1].id

    def call(self, function: str, **arguments: Any) -> Any:
        """An idempotent call of litellm, retried until it succeeds or the endpoint's patience ends."""
        return self._patiently(lambda: self._once(function, **arguments))

    def _once(self, function: str, **arguments: Any) -> Any:
        import litellm

        try:
            return getattr(litellm, function)(
                custom_llm_provider=self.wire.provider,
                api_base=self.wire.base,
                api_key=self.wire.key,
                timeout=self.wire.endpoint.timeout_seconds,
                max_retries=0,
                **arguments,
            )
        except Exception as error:
            status = getattr(error, "status_code", None)
            text = self.wire.quoted(error)
            if status in ADVICE:
                raise LlmError(f"{self.model}: status {status}: {ADVICE[status]}. The provider said: {text}") from None
            raise Fault("busy", text) from None

    def _patiently(self, act: Callable[[], Any]) -> Any:
        started, times, patience = time.monotonic(), 0, self.wire.endpoint.patience_seconds
        while True:
            try:
                return act()
            except Fault as fault:
                if time.monotonic() - started > patience:
                    raise LlmError(
                        f"{self.model}: the batch endpoint did not answer for {patience:g} seconds; what was handed in"
                        f" is written down and the next run goes on with it. The last fault was {fault}"
                    ) from None
                times += 1
                time.sleep(backoff(times))


@contextmanager
def _ticket_lock(tickets: Path) -> Iterator[None]:
    """Exclude other processes from searching, submitting and removing tickets in the folder during the block."""
    with (tickets / ".turn").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sharing_keys(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The `rows` whose key is in `others`."""
    return rows.join(others, on="key", how="semi")


def _batches_of(requests: pl.DataFrame, client: _BatchClient) -> Iterator[tuple[pl.DataFrame, bytes]]:
    """`requests` in slices of at most one batch's size, with the JSONL input of each."""
    first, lines, size = 0, [], 0
    for number, row in enumerate(requests.iter_rows(named=True)):
        body = client.wire.body(json.loads(row["messages"]), row["sampling"])
        line = {"custom_id": row["key"], "method": "POST", "url": CHAT, "body": body}
        lines.append(json.dumps(line).encode())
        size += len(lines[-1]) + 1
        if len(lines) == MAX_REQUESTS or size > MAX_BYTES:
            yield requests[first : number + 1], b"\n".join(lines)
            first, lines, size = number + 1, [], 0
    if lines:
        yield requests[first:], b"\n".join(lines)
