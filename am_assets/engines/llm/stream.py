"""Many requests as one continuous stream with a bounded number in flight.

No request waits for the answer of another, and memory holds only what is in flight and not yet consumed, however many
requests there are.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm.money import SPENT, Budget, Meter
from am_assets.engines.llm.replies import ANSWER, Fault, LlmError
from am_assets.engines.llm.requester import Requester
from am_assets.engines.llm.routing import Route, Routes
from am_assets.engines.llm.wire import NOWHERE, Wire
from am_assets.engines.serving import Places
from am_assets.engines.serving.leases import LOAD_SECONDS
from am_assets.runtime import progress
from am_assets.runtime.interrupts import collected_interrupts
from am_assets.storage.shared.database import Database

FRAME_SECONDS = 0.25  # how long an answer waits at most before it is yielded
SILENCE_SECONDS = 5.0  # without an answer, after which an empty frame is yielded, so that progress is shown
MAX_UNSTORED = 1000  # answers; backpressure: the stream pauses until they are consumed
LOOK_SECONDS = 0.5  # between looks at servers of which none answers yet
MORE_WORKERS = 2  # times the slots, so that requests in backoff leave no slot idle


def ask(
    requests: pl.DataFrame,
    model: str,
    endpoints: Sequence[Endpoint],
    budget: Budget | None = None,
    refused: Callable[[], str | None] = lambda: None,
    database: Database | None = None,
    places: Places | None = None,
) -> Iterator[pl.DataFrame]:
    """Answers to `requests` (columns key, messages, sampling; the last two JSON), in frames of columns `ANSWER`.

    Frames come a few times a second, answers in the order of arrival. No new request starts once the budget is reached,
    `refused` returns a reason, or a fault shows that all others would fail the same way; answers in flight are still
    yielded. With a `database` the limits of the account hold over all machines that share it, and `places` starts
    servers on them. `LlmError` after the last answer where requests stayed unanswered; `ConfigError` before the first
    where the endpoint is misconfigured, or the model has no price while there is a budget.
    """
    budget = budget or Budget(within=SPENT)
    wires = _wires(model, endpoints, places)
    for wire in wires:
        if budget.limited and wire.prices is None:
            raise ConfigError(
                f"{model}: there is a budget but no price: litellm's table does not list {wire.full_name}; set"
                " input_price and output_price in endpoints.yaml (0 where it costs nothing)"
            )
    stream = _Stream(requests, model, wires, Meter(requests.height, budget), refused, database)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    try:
        with collected_interrupts() as interrupts:  # an answer in any hand when one is raised would be lost
            for rows in stream.frames(interrupts):
                progress.note(stream.meter.line())
                yield pl.DataFrame(rows, schema=ANSWER)
    except BaseException:  # the consumer could not store them, or a second interrupt
        stream.halt("the answers are no longer taken")
        raise
    finally:
        thread.join()
        budget.settle()
    if interrupts:
        raise interrupts[0]
    if stream.faults or stream.halted:
        raise LlmError(f"{model}: {stream.meter.left()}. {stream.reason()}")


def _wires(model: str, endpoints: Sequence[Endpoint], places: Places | None) -> list[Wire]:
    """A wire for each endpoint, and for each replica of one that is served here; these start at the same time."""
    streamed = [endpoint.model_copy(update={"batch": False}) for endpoint in endpoints]
    counts = [served.replicas if (served := endpoint.served(model)) else 1 for endpoint in streamed]
    wanted = [(endpoint, number) for endpoint, count in zip(streamed, counts, strict=True) for number in range(count)]
    if len(wanted) == 1:
        return [Wire(model, endpoint, number, places) for endpoint, number in wanted]
    with ThreadPoolExecutor(len(wanted)) as pool:
        wires = list(pool.map(lambda one: Wire(model, one[0], one[1], places), wanted))
    end = time.monotonic() + LOAD_SECONDS
    while not any(wire.base != NOWHERE or wire.look() for wire in wires):
        if time.monotonic() > end:
            raise LlmError(f"{model}: none of its servers answers after {LOAD_SECONDS:g} seconds")
        time.sleep(LOOK_SECONDS)
    return wires


class _Stream:
    """The event loop of the requests, run in a thread, and the queue of its answers."""

    def __init__(
        self,
        requests: pl.DataFrame,
        model: str,
        wires: list[Wire],
        meter: Meter,
        refused: Callable[[], str | None],
        database: Database | None,
    ):
        self.model = model
        self.rows = requests.iter_rows(named=True)
        self.wires = wires
        self.meter = meter
        self.refused = refused
        self.database = database
        self.arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()  # None at the end
        self.faults: list[BaseException] = []
        self.halted: str | None = None

    def halt(self, reason: str) -> None:
        self.halted = self.halted or reason

    def reason(self) -> str:
        """Why requests stayed unanswered."""
        fault = self.faults[0] if self.faults else None
        name = "" if fault is None or isinstance(fault, Fault) else f"{type(fault).__name__}: "
        first = f"First fault: {name}{fault}" if fault is not None else ""
        return ". ".join(filter(None, [self.halted, first]))

    def frames(self, interrupts: list[BaseException]) -> Iterator[list[dict[str, Any]]]:
        """Answer rows in batches until the end of the stream; an empty batch after `SILENCE_SECONDS` without any.

        The first of `interrupts` halts the stream: answers in flight are paid for, so they are waited for. A second one
        is raised.
        """
        running = True
        last = time.monotonic()
        taken: list[dict[str, Any]] = []
        while running:
            if len(interrupts) > 1:
                raise interrupts[1]
            if interrupts and not self.halted:
                self.halt("interrupted")
                progress.message("interrupted: waiting for the answers in flight")
            deadline = time.monotonic() + FRAME_SECONDS
            while (left := deadline - time.monotonic()) > 0:
                try:
                    item = self.arrived.get(timeout=left)
                except queue.Empty:
                    break
                if item is None:
                    running = False
                    break
                taken.append(item)
            if taken or time.monotonic() - last > SILENCE_SECONDS:
                last = time.monotonic()
                yield taken
                taken = []

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as fault:  # a bug: report it to the caller, who would else wait for ever
            self.faults.append(fault)
        finally:
            self.arrived.put(None)

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            routes = Routes(
                [Route(await stack.enter_async_context(wire), self.database) for wire in self.wires],
                self._may_not_go_on,
            )
            slots = sum(wire.endpoint.concurrency for wire in self.wires)
            heartbeat = asyncio.create_task(self._heartbeat(routes))
            try:
                requester = Requester(routes, self.meter, self.model, self.halt)
                await asyncio.gather(*(self._work(requester) for _ in range(slots * MORE_WORKERS)))
            finally:
                heartbeat.cancel()
                for route in routes.routes:
                    route.share.close()

    async def _heartbeat(self, routes: Routes) -> None:
        while True:
            for route in routes.routes:
                route.share.heartbeat()
                if route.wire.lease:
                    route.wire.lease.touch()
            await asyncio.sleep(1)

    def _may_not_go_on(self) -> str | None:
        if not self.halted and (reason := self.refused()):
            self.halt(reason)
        return self.halted

    async def _work(self, requester: Requester) -> None:
        for row in self.rows:
            if self.halted:
                return
            while self.arrived.qsize() > MAX_UNSTORED and not self.halted:
                await asyncio.sleep(FRAME_SECONDS / 5)
            try:
                answer = await requester.answer(row)
            except BaseException as fault:  # a stray cancellation too: report it to the caller
                self.meter.failed += 1
                self.faults.append(fault)
                if not isinstance(fault, Fault) or fault.kind == "refused":
                    self.halt("No further request was made, as all would fare like the first fault")
            else:
                if answer is None:
                    return
                self.arrived.put(answer)
