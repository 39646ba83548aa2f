"""Resources that are slow to open, kept open over many uses where the caller says so.

with kept.keep_open():
    for chunk in chunks:
        verify(chunk)  # its workers start once: `kept.use(("pool",), start)` inside of it
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock
from typing import Any, TypeVar

Resource = TypeVar("Resource")
_lock = Lock()
_stack: ExitStack | None = None
_opened: dict[Hashable, Any] = {}


@contextmanager
def keep_open() -> Iterator[None]:
    """What is used inside of the block, by whatever thread, stays open until its end; within another block until that
    ends."""
    global _stack
    if _stack is not None:
        yield
        return
    with ExitStack() as stack:
        _stack = stack
        try:
            yield
        finally:
            _stack = None
            _opened.clear()


@contextmanager
def use(name: Hashable, start: Callable[[], AbstractContextManager[Resource]]) -> Iterator[Resource]:
    """`start()`, entered: for this use alone or, in a block of `keep_open`, once for all uses under this name. There a
    failure is kept too, and raised at each use."""
    if _stack is None:
        with start() as resource:
            yield resource
        return
    with _lock:
        if name not in _opened:
            try:
                _opened[name] = _stack.enter_context(start())
            except Exception as error:
                _opened[name] = error
    if isinstance(_opened[name], Exception):
        raise _opened[name]
    yield _opened[name]
