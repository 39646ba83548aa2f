"""The same requests through a provider's offline batch endpoint: hours later, and at a lower price.

What is under way is written down in tickets (`tickets.py`). A process that dies leaves them, and the next one that
wants one of their keys goes on where they stand. A batch is created only after its ticket is on disk, and looked for at
the provider before, so that none is paid for twice. Live processes never want the same keys, but each may want some of
a dead one's ticket: then both fetch its answers, and they take turns with the tickets themselves.
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

from am_assets.config.endpoints import EMBEDDED, Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import structured
from am_assets.engines.llm.money import SPENT, Budget
from am_assets.engines.llm.replies import ADVICE, ANSWER, Fault, LlmError, answer_row, read, refusal
from am_assets.engines.llm.requester import CHARS_A_TOKEN
from am_assets.engines.llm.routing import backoff
from am_assets.engines.llm.tickets import Ticket, open_tickets
from am_assets.engines.llm.wire import Wire

PROVIDERS = {"openai", "hosted_vllm"}  # litellm's names of those whose batches are the OpenAI kind
MAX_REQUESTS = 50_000  # a batch, by OpenAI's rules
MAX_BYTES = 150_000_000
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 60.0
ENDED = {"completed", "failed", "expired", "cancelled"}
UnderWay = tuple[Ticket, pl.DataFrame]  # and the keys of its requests, with their sampling


def ask_batch(
    requests: pl.DataFrame,
    model: str,
    endpoint: Endpoint,
    tickets: Path,
    budget: Budget | None = None,
    may_store: Callable[[], bool] = lambda: True,
) -> Iterator[pl.DataFrame]:
    """Answers to `requests` (as in `stream.ask`) in frames of columns `ANSWER`, one a batch, as batches end.

    A request that its batch did not answer is left out: it is for the stream to ask. Tickets lie in the folder
    `tickets`; one is removed when the frame of its answers has been taken and the next is asked for. Raises `LlmError`
    where the provider refuses a batch, does not answer for as long as the endpoint's patience, or the budget does not
    reach; `ConfigError` where the provider has no batches or no price is known while there is a budget.
    """
    desk = _Desk(model, endpoint, budget or Budget(within=SPENT))
    tickets.mkdir(parents=True, exist_ok=True)
    with _turn(tickets):
        found = [(ticket, ticket.keys()) for ticket in open_tickets(tickets, model, endpoint.api_base)]
    under_way = [(ticket, keys) for ticket, keys in found if not _both(keys, requests).is_empty()]
    asked = pl.concat([pl.DataFrame(schema={"key": pl.String}), *(keys.select("key") for _, keys in under_way)])
    new = requests.join(asked, on="key", how="anti", maintain_order="left")
    if new.height or not all(ticket.batch_id for ticket, _ in under_way):
        if not may_store():
            raise LlmError(f"{model}: the disk of the store is nearly full: free some space and run again")
        desk.afford(requests)
    under_way += [desk.upload(part, lines, tickets) for part, lines in _parts(new, desk)]
    under_way = [(ticket if ticket.batch_id else desk.create(ticket, keys), keys) for ticket, keys in under_way]
    yield from _collected(under_way, requests, desk)


def _collected(under_way: list[UnderWay], requests: pl.DataFrame, desk: "_Desk") -> Iterator[pl.DataFrame]:
    pause = FIRST_POLL_SECONDS
    while under_way:
        waiting = []
        for ticket, keys in under_way:
            try:
                answers = desk.answers(ticket, keys, requests)
            except LlmError as error:
                raise LlmError(
                    f"{error}. The batch is that of {ticket.path}: without this file its requests are asked, and paid"
                    " for, again"
                ) from None
            if answers is None:
                waiting.append((ticket, keys))
                continue
            yield answers
            with _turn(ticket.path.parent):
                if ticket.path.exists():  # else another process fetched the answers too
                    ticket.remove()
        if len(waiting) < len(under_way):
            pause = FIRST_POLL_SECONDS
        under_way = waiting
        if under_way:
            time.sleep(pause)
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)


class _Desk:
    """Where batches of one model are handed in and fetched."""

    def __init__(self, model: str, endpoint: Endpoint, budget: Budget):
        # The wire of an embedded model would start its server.
        wire = None if model.startswith(EMBEDDED) else Wire(model, endpoint.model_copy(update={"batch": True}))
        if wire is None or wire.provider not in PROVIDERS:
            raise ConfigError(
                f"{model}: no offline batches through {wire.provider if wire else 'an embedded model'}, only through"
                f" {', '.join(sorted(PROVIDERS))}; remove `batch` from its endpoint"
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

    def afford(self, rows: pl.DataFrame) -> None:
        """`LlmError` where they could cost more than the budget has left: a batch can't be stopped half way.

        Those handed in before count too, as what they cost is not added up until they are fetched.
        """
        limits = rows["sampling"].str.json_path_match("$.max_tokens").cast(pl.Int64, strict=False).fill_null(0)
        prompts = int(rows["messages"].str.len_chars().sum()) // CHARS_A_TOKEN
        most = prompts * self.price_in + int(limits.sum()) * self.price_out
        if reason := self.budget.reached(most):
            raise LlmError(
                f"{self.model}: {reason}. Nothing was handed in: at their token limits the requests cost ${most:.4f};"
                " raise the budget, lower max_tokens, or take `batch` from the endpoint"
            )

    def upload(self, rows: pl.DataFrame, lines: bytes, tickets: Path) -> UnderWay:
        """Hand in the input, which costs nothing yet, and write its ticket."""
        file = self.call("create_file", file=("requests.jsonl", lines), purpose="batch")
        path = tickets / f"{uuid.uuid4().hex}.json"
        ticket = Ticket(path, self.model, self.wire.endpoint.api_base, file.id, time.time())
        keys = rows.select("key", "sampling")
        ticket.write(keys)
        return ticket, keys

    def create(self, ticket: Ticket, keys: pl.DataFrame) -> Ticket:
        """The ticket with its batch. An earlier try may have created it without our hearing of it."""
        with _turn(ticket.path.parent):
            ticket = replace(ticket, batch_id=self._batch_of(ticket.file_id))
            ticket.write(keys)
        return ticket

    def _batch_of(self, file_id: str) -> str:
        started = time.monotonic()
        times = 0
        while True:
            batch = next((one for one in self._batches() if one.input_file_id == file_id), None)
            try:
                batch = batch or self._once(
                    "create_batch",
                    input_file_id=file_id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                )
            except Fault as fault:
                times += 1
                self._be_patient(fault, started, times)
                continue
            return batch.id

    def answers(self, ticket: Ticket, keys: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame | None:
        """What the batch of `ticket` answered, nothing where it failed before it began; None while it has not ended."""
        batch = self.call("retrieve_batch", batch_id=ticket.batch_id)
        if batch.status not in ENDED:
            return None
        if not batch.output_file_id:
            return pl.DataFrame(schema=ANSWER)
        content = self.call("file_content", file_id=batch.output_file_id).content
        asked = {row["key"]: row.get("sampling", "{}") for row in keys.iter_rows(named=True)}
        asked |= dict(_both(requests, keys).select("key", "sampling").rows())  # for tickets that hold keys alone
        rows = [self._row(line, asked, ticket) for line in content.splitlines()]
        return pl.DataFrame([row for row in rows if row], schema=ANSWER)

    def _row(self, line: bytes, asked: dict[str, str], ticket: Ticket) -> dict | None:
        """The answer in one line of output, which takes its key from `asked`; None where it is no answer to a key
        there: an odd line must not keep us from the others, which are paid for."""
        try:
            said = json.loads(line)
            key, response = said["custom_id"], said["response"]
            status, body = response["status_code"], json.dumps(response.get("body"))
            reply = read(body.encode()) if status == 200 else refusal(status, body, {})
            schema = structured.schema_of(asked.pop(key))
        except (Fault, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        tokens_in, tokens_out = reply.tokens
        reply.cost = tokens_in * self.price_in + tokens_out * self.price_out
        reply.seconds = time.time() - ticket.submitted
        self.budget.add(reply.cost)
        fits = structured.misfit(reply.text, schema) is None if schema else None
        return answer_row(key, self.model, reply, fits)

    def _batches(self) -> Iterator[Any]:
        after = None
        while True:
            page = self.call("list_batches", limit=100, **({"after": after} if after else {}))
            yield from page.data
            if not getattr(page, "has_more", False) or not page.data:
                return
            after = page.data[-1].id

    def call(self, function: str, **arguments: Any) -> Any:
        """A call that may be repeated without harm, until it succeeds or the endpoint's patience ends."""
        started = time.monotonic()
        times = 0
        while True:
            try:
                return self._once(function, **arguments)
            except Fault as fault:
                times += 1
                self._be_patient(fault, started, times)

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
            said = self.wire.quoted(error)
            if status in ADVICE:
                raise LlmError(f"{self.model}: status {status}: {ADVICE[status]}. The provider said: {said}") from None
            raise Fault("busy", said) from None

    def _be_patient(self, fault: Fault, started: float, times: int) -> None:
        patience = self.wire.endpoint.patience_seconds
        if time.monotonic() - started > patience:
            raise LlmError(
                f"{self.model}: the batch endpoint did not answer for {patience:g} seconds; what was handed in is"
                f" written down and the next run goes on with it. The last fault was {fault}"
            )
        time.sleep(backoff(times))


@contextmanager
def _turn(tickets: Path) -> Iterator[None]:
    """No other process looks for tickets in the folder, creates their batches or removes them until the block ends."""
    with (tickets / ".turn").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _both(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return rows.join(others, on="key", how="semi")


def _parts(requests: pl.DataFrame, desk: _Desk) -> Iterator[tuple[pl.DataFrame, bytes]]:
    """`requests` in parts of a batch's size, with the lines of each."""
    first, lines, size = 0, [], 0
    for number, row in enumerate(requests.iter_rows(named=True)):
        body = desk.wire.body(json.loads(row["messages"]), row["sampling"])
        line = {"custom_id": row["key"], "method": "POST", "url": "/v1/chat/completions", "body": body}
        lines.append(json.dumps(line).encode())
        size += len(lines[-1]) + 1
        if len(lines) == MAX_REQUESTS or size > MAX_BYTES:
            yield requests[first : number + 1], b"\n".join(lines)
            first, lines, size = number + 1, [], 0
    if lines:
        yield requests[first:], b"\n".join(lines)
