"""Choice of the endpoint for the next request: the least loaded one that is not failing.

A circuit breaker: an endpoint that rejects everybody, or fails three times in a row, is paused with exponential
backoff; then one request probes it before the others follow.
"""

import asyncio
import random
import time
from collections.abc import Callable

from am_assets.engines.llm.limits import LocalState, Share
from am_assets.engines.llm.replies import Fault
from am_assets.engines.llm.shared_limits import SharedState
from am_assets.engines.llm.wire import Wire
from am_assets.storage.shared.database import Database

FAULTS_IN_A_ROW = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0


class Route:
    """One endpoint with its rate limits and circuit breaker.

    Failures of requests that started before its last pause are ignored.
    """

    def __init__(self, wire: Wire, database: Database | None):
        self.wire = wire
        endpoint = wire.endpoint
        account = f"{wire.provider} {wire.account} {endpoint.api_key_env or ''}".strip()
        state = SharedState(database, account) if database else LocalState(account)
        self.share = Share(state, endpoint.concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.faults = 0
        self.open_at = self.paused_at = 0.0

    @property
    def load(self) -> float:
        """The share of its slots that this process holds."""
        return self.share.held / self.wire.endpoint.concurrency

    def closed_for(self, now: float) -> float:
        """Seconds until the endpoint may be used."""
        if self.faults >= FAULTS_IN_A_ROW and self.share.held:
            return LONGEST_PAUSE_SECONDS  # one request is probing it; its end sets `changed`
        return max(0.0, self.open_at - now)

    def answered(self) -> None:
        self.faults = 0

    def failed(self, fault: Fault, started: float) -> None:
        if started < self.paused_at:
            return
        self.faults += 1
        if fault.kind == "busy" or fault.retry_after is not None or self.faults >= FAULTS_IN_A_ROW:
            self.paused_at = time.monotonic()
            self.open_at = self.paused_at + backoff(self.faults, fault.retry_after)


class Routes:
    """The endpoints of one model. `halted` returns why no further request may start, or None."""

    def __init__(self, routes: list[Route], halted: Callable[[], str | None]):
        self.routes = routes
        self.halted = halted
        self.lock = asyncio.Lock()  # first come, first served
        self.changed = asyncio.Event()
        self.last_answer = time.monotonic()
        self.last_fault: Fault | None = None

    async def acquire(self, tokens: int) -> Route | None:
        """Wait for a route with a slot for a request of about `tokens`; None once no request may start.

        `Fault` where no endpoint has answered for as long as their patience.
        """
        async with self.lock:
            while True:
                if self.halted():
                    return None
                self.changed.clear()
                waits = []
                now = time.monotonic()
                for route in sorted(self.routes, key=lambda route: route.load):
                    wait = route.closed_for(now) or route.share.acquire(tokens)
                    if not wait:
                        return route
                    waits.append(wait)
                self._check_patience(now)
                await self._until_changed(min(waits))

    def release(self, route: Route, more_tokens: int) -> None:
        route.share.release(more_tokens, follows=self.lock.locked())  # by who waits for a slot
        self.changed.set()

    def answered(self, route: Route) -> None:
        route.answered()
        self.last_answer = time.monotonic()

    def failed(self, route: Route, fault: Fault, started: float) -> None:
        route.failed(fault, started)
        self.last_fault = fault

    def _check_patience(self, now: float) -> None:
        patience = max(route.wire.endpoint.patience_seconds for route in self.routes)
        idle = not any(route.share.held for route in self.routes)
        if self.last_fault and idle and now - self.last_answer > patience:
            raise Fault("refused", f"nobody answered for {patience:g} seconds; the last fault was {self.last_fault}")

    async def _until_changed(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().call_later(seconds, self.changed.set)
        await self.changed.wait()
        alarm.cancel()


def backoff(times: int, retry_after: float | None = None) -> float:
    """Seconds to wait after `times` faults: the provider's `retry_after`, else exponential; both with jitter."""
    if retry_after is not None:
        return retry_after + random.uniform(0, 0.1 + retry_after / 20)
    pause: float = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (times - 1))
    return pause * random.uniform(0.5, 1)
