"""Requests in, answers out: a continuous stream with a bounded number in flight.

No request waits for another's answer, and memory holds what is in flight and what is not stored yet, however many
requests there are.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm.money import SPENT, Budget, Meter
from am_assets.engines.llm.replies import ANSWER, Fault, LlmError
from am_assets.engines.llm.requester import Requester
from am_assets.engines.llm.routing import Route, Routes
from am_assets.engines.llm.wire import Wire
from am_assets.runtime import progress

FRAME_SECONDS = 0.25  # an answer waits this long at most before it is handed on to be stored
SILENCE_SECONDS = 5.0  # without an answer, after which an empty frame is handed on, so that somebody sees what goes on
MAX_UNSTORED = 1000  # answers; the stream pauses until they are taken
MORE_WORKERS = 2  # times the slots, so that requests waiting to be tried again leave no slot idle
Arrived = queue.Queue  # of rows, faults, and None at the end


def ask(
    requests: pl.DataFrame,
    model: str,
    endpoints: Sequence[Endpoint],
    budget: Budget | None = None,
    may_store: Callable[[], bool] = lambda: True,
) -> Iterator[pl.DataFrame]:
    """Answers to `requests` (columns key, messages, sampling; the last two JSON), in frames of columns `ANSWER`.

    Frames come a few times a second with what has come in, in the order it came. No new request starts once the budget
    is reached, `may_store` says no, or a fault shows that all others would fail the same way; what is in flight is
    still yielded. Raises `LlmError` after the last answer where requests stayed unanswered, `ConfigError` before the
    first where the model can't be reached as configured or has no price while there is a budget.
    """
    budget = budget or Budget(within=SPENT)
    wires = [Wire(model, endpoint.model_copy(update={"batch": False})) for endpoint in endpoints]
    for wire in wires:
        if budget.limited and wire.prices is None:
            raise ConfigError(
                f"{model}: there is a budget but no price: litellm's table does not list {wire.full_name}; set"
                " input_price and output_price in endpoints.yaml (0 where it costs nothing)"
            )
    stream = _Stream(requests, model, wires, Meter(requests.height, budget), may_store)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    try:
        for rows in stream.frames():
            progress.note(stream.meter.line())
            yield pl.DataFrame(rows, schema=ANSWER)
    except GeneratorExit:  # whoever took the answers could not store them
        stream.halt("the answers are no longer taken")
        raise
    except BaseException:  # an interrupt: what is in flight is paid for
        stream.halt("interrupted")
        progress.message("interrupted: waiting for the answers in flight")
        for rows in stream.frames():
            yield pl.DataFrame(rows, schema=ANSWER)
        raise
    finally:
        thread.join()
    if stream.faults or stream.halted:
        raise LlmError(f"{model}: {stream.meter.left()}. {stream.what_happened()}")


class _Stream:
    def __init__(
        self, requests: pl.DataFrame, model: str, wires: list[Wire], meter: Meter, may_store: Callable[[], bool]
    ):
        self.model = model
        self.rows = requests.iter_rows(named=True)
        self.wires = wires
        self.meter = meter
        self.may_store = may_store
        self.arrived: Arrived = queue.Queue()
        self.taken: list[dict] = []  # from there, and not handed on yet
        self.faults: list[BaseException] = []
        self.halted: str | None = None

    def halt(self, reason: str) -> None:
        self.halted = self.halted or reason

    def what_happened(self) -> str:
        fault = self.faults[0] if self.faults else None
        name = "" if fault is None or isinstance(fault, Fault) else f"{type(fault).__name__}: "
        first = f"First fault: {name}{fault}" if fault is not None else ""
        return ". ".join(filter(None, [self.halted, first]))

    def frames(self) -> Iterator[list[dict]]:
        """Rows as they come, until the end of the stream; none now and then, as a sign of life. After an interrupt they
        may be asked for again, and begin with what was not handed on."""
        running = True
        last = time.monotonic()
        while running:
            deadline = time.monotonic() + FRAME_SECONDS
            while (left := deadline - time.monotonic()) > 0:
                try:
                    item = self.arrived.get(timeout=left)
                except queue.Empty:
                    break
                if item is None:
                    running = False
                    break
                self.taken.append(item)
            if self.taken or time.monotonic() - last > SILENCE_SECONDS:
                last = time.monotonic()
                rows, self.taken = self.taken, []
                yield rows

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as fault:  # a mistake of ours: the caller has to hear of it, not wait for ever
            self.faults.append(fault)
        finally:
            self.arrived.put(None)

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            routes = Routes([Route(await stack.enter_async_context(wire)) for wire in self.wires], self._may_not_go_on)
            slots = sum(wire.endpoint.concurrency for wire in self.wires)
            heart = asyncio.create_task(self._beat(routes))
            try:
                requester = Requester(routes, self.meter, self.model, self.halt)
                await asyncio.gather(*(self._work(requester) for _ in range(slots * MORE_WORKERS)))
            finally:
                heart.cancel()
                for route in routes.routes:
                    route.share.close()

    async def _beat(self, routes: Routes) -> None:
        while True:
            for route in routes.routes:
                route.share.beat()
            await asyncio.sleep(1)

    def _may_not_go_on(self) -> str | None:
        if not self.halted and not self.may_store():
            self.halt("the disk of the store is nearly full: free some space and run again")
        return self.halted

    async def _work(self, requester: Requester) -> None:
        for row in self.rows:
            if self.halted:
                return
            while self.arrived.qsize() > MAX_UNSTORED and not self.halted:
                await asyncio.sleep(FRAME_SECONDS / 5)
            try:
                answer = await requester.answer(row)
            except BaseException as fault:  # a stray cancellation too: the caller has to hear of it
                self.meter.failed += 1
                self.faults.append(fault)
                if not isinstance(fault, Fault) or fault.kind == "refused":
                    self.halt("No further request was made, as all would fare like the first fault")
            else:
                if answer is None:
                    return
                self.arrived.put(answer)
