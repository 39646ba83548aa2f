"""Calls in processes of their own that are killed when they take too long: for code that may hang, or swallow memory,
where no signal arrives. Hides pebble; knows nothing of what is called."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pebble import ProcessPool

WORKERS = 2
TASKS = 20_000  # calls that a worker takes before it is replaced: it grows by some 1.3 MB a thousand of math's
AHEAD = 512  # results under way while one is looked at
MEMORY = 4 << 30  # bytes of address space: a power tower runs into it before it runs into the machine

NO_WORKERS = (
    "the worker processes do not start; a script that verifies must be a file and guard its main part with "
    "`if __name__ == '__main__':`"
)


@dataclass(frozen=True)
class Call:
    function: Callable
    arguments: tuple


def in_order(
    work: Iterable[Any], seconds: float, prepare: Callable[[], None], preload: str
) -> Generator[Any, None, None]:
    """What each of `work` comes to: a `Call` is made in a worker, anything else stands for itself.

    In place of a result stand a `TimeoutError` where the call was killed after `seconds`, and whatever else it raised
    or its process died of. Workers are forked, at the first call, from a process that has imported the module
    `preload`, which makes replacing a killed one cheap, and run `prepare` before their first clock starts.
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
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the very C call we must end
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _outcome(item: Any, pool: "ProcessPool | None") -> Any:
    if not isinstance(item, Future):
        return item
    while not wait([item], timeout=1).done and pool and pool.active:
        pass  # a pool that breaks may leave a future open for ever
    try:
        return item.result(timeout=0)
    except BrokenExecutor as error:
        raise RuntimeError(NO_WORKERS) from error
    except TimeoutError as error:
        if not item.done():
            raise RuntimeError(NO_WORKERS) from error
        return error
    except Exception as error:  # whatever the call raised, or the death of its worker
        return error
