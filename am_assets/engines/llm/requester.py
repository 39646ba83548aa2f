"""One request until it is answered: retries, one repair of a structured answer, and the reservation of its cost."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from am_assets.engines.llm import structured
from am_assets.engines.llm.money import CHARS_A_TOKEN, Meter, max_prompt_tokens
from am_assets.engines.llm.replies import INTERRUPTED, Fault, Reply, answer_row
from am_assets.engines.llm.routing import Routes, backoff

FUNDS_SECONDS = 0.05  # between checks whether reserved money was released


class Requester:
    """Sends requests through `routes`; calls `halt` with the reason once no further request may start."""

    def __init__(self, routes: Routes, meter: Meter, model: str, halt: Callable[[str], None]):
        self.routes = routes
        self.meter = meter
        self.model = model
        self.halt = halt
        prices = [route.wire.prices or (0.0, 0.0) for route in routes.routes]
        self.price_in, self.price_out = (max(price) / 1e6 for price in zip(*prices, strict=True))
        self.dearest = 0.0  # dearest reply so far: the estimate for requests without max_tokens

    async def answer(self, row: dict[str, Any]) -> dict[str, Any] | None:
        """The row of `ANSWER` for one request, after a repair if needed; None where no request may start any more."""
        messages, sampling = json.loads(row["messages"]), row["sampling"]
        reply = await self._ask(messages, sampling)
        if reply is None:
            return None
        fits = None
        if schema := structured.schema_of(sampling):
            fits = not structured.misfit(reply.text, schema)
            if not fits and reply.finish_reason == "stop":
                reply, fits = await self._repaired(messages, reply, sampling, schema)
        answered = answer_row(row["key"], self.model, reply, fits)
        self.meter.done += 1
        return answered

    async def _repaired(
        self, messages: list[dict[str, Any]], first: Reply, sampling: str, schema: str
    ) -> tuple[Reply, bool]:
        """A second reply, to a prompt that shows the error, if it fits the schema; else the first. Costs add up."""
        wrong = structured.misfit(first.text, schema) or ""
        try:
            second = await self._ask(structured.repair_messages(messages, first.text, wrong, schema), sampling)
        except Fault:
            second = None
        if second is None:
            return first, False
        fits = not structured.misfit(second.text, schema)
        return replace(second if fits else first, cost=first.cost + second.cost), fits

    async def _ask(self, messages: list[dict[str, Any]], sampling: str) -> Reply | None:
        """The reply to one request, after as many retries as the endpoint allows; None where it may not start. Its cost
        has that of attempts that were interrupted."""
        times, spent = 0, 0.0
        prompt = sum(len(str(message["content"])) for message in messages) // CHARS_A_TOKEN
        prompt_at_most = max_prompt_tokens([str(message["content"]) for message in messages])
        limit = json.loads(sampling).get("max_tokens", 0)
        while True:
            at_most = max(prompt_at_most * self.price_in + limit * self.price_out, self.dearest)
            if not await self._funded(at_most):
                return None
            guess = prompt + self.meter.mean_tokens
            route = None
            try:
                route = await self.routes.acquire(guess)
            finally:
                if route is None:
                    self.meter.reserved.remove(at_most)
            if route is None:
                return None
            started = time.monotonic()
            used = guess
            self.meter.in_flight += 1
            try:
                reply = await route.wire.ask(messages, sampling)
                reply.seconds = time.monotonic() - started
                used = sum(reply.tokens)
                self.routes.answered(route)
                self.meter.paid(reply)
                self.dearest = self.dearest if limit else max(self.dearest, reply.cost)
                spent += reply.cost
                if reply.finish_reason == INTERRUPTED:
                    raise Fault("broken", f"the answer was interrupted: {route.wire.quoted(reply.message, 200)}")
                return replace(reply, cost=spent)
            except Fault as fault:
                self.routes.failed(route, fault, started)
                times += fault.kind == "broken"
                if fault.kind == "refused" or times > route.wire.endpoint.retries:
                    raise
                pause = backoff(times, fault.retry_after) if fault.kind == "broken" else 0
            finally:
                self.meter.in_flight -= 1
                self.meter.reserved.remove(at_most)
                self.routes.release(route, used - guess)
            await asyncio.sleep(pause)

    async def _funded(self, at_most: float) -> bool:
        """Reserve `at_most` dollars, waiting for requests in flight to release theirs; False where none is left."""
        while reason := self.meter.over_budget(at_most):
            if not self.meter.reserved:
                self.halt(reason)
            if self.routes.halted():
                return False
            await asyncio.sleep(FUNDS_SECONDS)
        self.meter.reserved.append(at_most)
        return True
