"""Which endpoint takes the next request: the one with the most room, and none that is failing.

An endpoint that turns everybody away, or fails three times in a row, is left alone for a while, longer each time; then
one request tries it before the others follow.
"""

import asyncio
import random
import time
from collections.abc import Callable

from am_assets.engines.llm.limits import Share
from am_assets.engines.llm.replies import Fault
from am_assets.engines.llm.wire import Wire

FAULTS_IN_A_ROW = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0


class Route:
    """One endpoint in use. Requests that started before its last pause tell nothing new about it."""

    def __init__(self, wire: Wire):
        self.wire = wire
        endpoint = wire.endpoint
        account = f"{wire.provider} {wire.base or ''} {endpoint.api_key_env or ''}".strip()
        self.share = Share(account, endpoint.concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.faults = 0
        self.open_at = self.paused_at = 0.0

    @property
    def load(self) -> float:
        return self.share.mine / self.wire.endpoint.concurrency

    def closed_for(self, now: float) -> float:
        """Seconds until it may be asked."""
        if self.faults >= FAULTS_IN_A_ROW and self.share.mine:
            return LONGEST_PAUSE_SECONDS  # one request is trying it; its end wakes us
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
    """The endpoints of one model. `halted` says why no further request may start, or None."""

    def __init__(self, routes: list[Route], halted: Callable[[], str | None]):
        self.routes = routes
        self.halted = halted
        self.line = asyncio.Lock()  # who asks first is served first
        self.changed = asyncio.Event()
        self.last_answer = time.monotonic()
        self.last_fault: Fault | None = None

    async def take(self, tokens: int) -> Route | None:
        """A route with a slot for a request of about `tokens`; None when no request may start any more."""
        async with self.line:
            while True:
                if self.halted():
                    return None
                self.changed.clear()
                waits = []
                now = time.monotonic()
                for route in sorted(self.routes, key=lambda route: route.load):
                    wait = route.closed_for(now) or route.share.take(tokens)
                    if not wait:
                        return route
                    waits.append(wait)
                self._be_patient(now)
                await self._until_changed(min(waits))

    def give_back(self, route: Route, more_tokens: int) -> None:
        route.share.give_back(more_tokens)
        self.changed.set()

    def answered(self, route: Route) -> None:
        route.answered()
        self.last_answer = time.monotonic()

    def failed(self, route: Route, fault: Fault, started: float) -> None:
        route.failed(fault, started)
        self.last_fault = fault

    def _be_patient(self, now: float) -> None:
        patience = max(route.wire.endpoint.patience_seconds for route in self.routes)
        nobody_asked = not any(route.share.mine for route in self.routes)
        if self.last_fault and nobody_asked and now - self.last_answer > patience:
            raise Fault("refused", f"nobody answered for {patience:g} seconds; the last fault was {self.last_fault}")

    async def _until_changed(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().call_later(seconds, self.changed.set)
        await self.changed.wait()
        alarm.cancel()


def backoff(times: int, asked: float | None = None) -> float:
    """Seconds to wait after `times` faults: what the provider asked for, else doubling; with jitter, so that those who
    failed together do not come back together."""
    if asked is not None:
        return asked + random.uniform(0, 0.1 + asked / 20)
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (times - 1)) * random.uniform(0.5, 1)
