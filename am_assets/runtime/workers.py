"""A pool of worker processes with kill timeouts and a memory limit, for code that may hang or exhaust memory in C.

Hides pebble; knows nothing of the functions it calls.

    outcomes = in_order([Call(slow, (1,)), None], seconds=5, prepare=warm_up, preload="math_verify")
    list(outcomes)  # [TimeoutError(...), None]
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pebble import ProcessPool

WORKERS = 2
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


def in_order(
    work: Iterable[Any], seconds: float, prepare: Callable[[], None], preload: str
) -> Generator[Any, None, None]:
    """The result of each item of `work`, in order: a `Call` is run in a worker, anything else is passed through.

    Failures are returned as results: `TimeoutError` where the call was killed after `seconds`, else the exception it
    raised or its process died of. Workers are forked at the first call from a process that has imported the module
    `preload`, so that replacing a killed one is cheap; each runs `prepare` before its first call is timed.
    `RuntimeError` where no worker starts.
    """
    with ExitStack() as cleanup:
        pool: ProcessPool | None = None
        waiting: deque[Any] = deque()
        for item in work:
            if isinstance(item, Call):
                pool = pool or _start(cleanup, prepare, preload)
                item = pool.schedule(item.function, item.arguments, timeout=seconds)
            waiting.append(item)
            if len(waiting) > AHEAD:
                yield _outcome(waiting.popleft(), pool)
        for item in waiting:
            yield _outcome(item, pool)


def _start(cleanup: ExitStack, prepare: Callable[[], None], preload: str) -> "ProcessPool":
    import multiprocessing

    from pebble import ProcessPool

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    pool = ProcessPool(WORKERS, max_tasks=TASKS, initializer=_prepare, initargs=(prepare,), context=context)
    cleanup.callback(pool.join)
    cleanup.callback(pool.stop)
    return pool


def _prepare(prepare: Callable[[], None]) -> None:
    import resource
    import signal

    prepare()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would not run during a C call
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _outcome(item: Any, pool: "ProcessPool | None") -> Any:
    if not isinstance(item, Future):
        return item
    while not wait([item], timeout=1).done and pool and pool.active:
        pass  # a broken pool may never resolve a future
    try:
        return item.result(timeout=0)
    except BrokenExecutor as error:
        raise RuntimeError(NO_WORKERS) from error
    except TimeoutError as error:
        if not item.done():
            raise RuntimeError(NO_WORKERS) from error
        return error
    except Exception as error:  # raised by the call, or its worker died
        return error
