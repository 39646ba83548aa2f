"""A pool of worker processes with kill timeouts and a memory limit, for code that may hang or exhaust memory in C.

Hides pebble; knows nothing of the functions it calls.

    ends = in_order([Call(slow, (1,)), None], seconds=5, prepare=warm_up, preload="math_verify")
    [end.outcome for end in ends]  # [TimeoutError(...), None]
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from am_assets.runtime import kept

if TYPE_CHECKING:
    from pebble import ProcessPool

WORKERS = 2  # of a pool in one run of many
count: int | None = None  # of workers, and of warm sandboxes, where one process has the machine; set before any starts
TASKS = 20_000  # calls before a worker is replaced: workers of math grow by about 1.3 MB per thousand calls
AHEAD = 512  # calls scheduled ahead of the result being consumed
MEMORY = 4 << 30  # bytes of address space, so that a tower of powers fails before the machine runs out of memory

NO_WORKERS = (
    "the worker processes do not start; a script that verifies must be a file and guard its main part with "
    "`if __name__ == '__main__':`"
)


@dataclass(frozen=True)
class Call:
    """A function of an importable module and its arguments, both picklable."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class End(NamedTuple):
    """What came of an item, and how many seconds a worker had it."""

    outcome: Any
    seconds: float = 0.0


def in_order(
    work: Iterable[Any], seconds: float, prepare: Callable[[], None], preload: str
) -> Generator[End, None, None]:
    """The end of each item of `work`, in order: a `Call` is run in a worker, anything else is passed through.

    Failures are outcomes: `TimeoutError` where the call was killed after `seconds`, else the exception it
    raised or its process died of. Workers are forked at the first call from a process that has imported the module
    `preload`, so that replacing a killed one is cheap; each runs `prepare` before its first call is timed.
    `RuntimeError` where no worker starts.
    """
    with ExitStack() as cleanup:
        pool: ProcessPool | None = None
        waiting: deque[Any] = deque()
        for item in work:
            if isinstance(item, Call):
                pool = pool or cleanup.enter_context(kept.use(preload, lambda: _started(prepare, preload)))
                item = pool.schedule(_timed, (item.function, item.arguments), timeout=seconds)
            waiting.append(item)
            if len(waiting) > AHEAD:
                yield _end(waiting.popleft(), pool, seconds)
        for item in waiting:
            yield _end(item, pool, seconds)


@contextmanager
def _started(prepare: Callable[[], None], preload: str) -> Iterator["ProcessPool"]:
    import multiprocessing

    from pebble import ProcessPool

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    pool = ProcessPool(count or WORKERS, max_tasks=TASKS, initializer=_prepare, initargs=(prepare,), context=context)
    try:
        yield pool
    finally:
        pool.stop()
        pool.join()


def _timed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> End:
    began = time.monotonic()
    return End(function(*arguments), time.monotonic() - began)


def _prepare(prepare: Callable[[], None]) -> None:
    import resource
    import signal

    prepare()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would not run during a C call
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _end(item: Any, pool: "ProcessPool | None", seconds: float) -> End:
    if not isinstance(item, Future):
        return End(item)
    while not wait([item], timeout=1).done and pool and pool.active:
        pass  # a broken pool may never resolve a future
    try:
        return item.result(timeout=0)
    except BrokenExecutor as error:
        raise RuntimeError(NO_WORKERS) from error
    except TimeoutError as error:
        if not item.done():
            raise RuntimeError(NO_WORKERS) from error
        return End(error, seconds)
    except Exception as error:  # raised by the call, or its worker died
        return End(error)
