"""Python's collector of garbage, which looks at hundreds of thousands of imported objects again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """A block that imports much: nothing is collected meanwhile, a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leave_imported() -> None:
    """Leave what was imported out of later looks, which would also give a forked process pages of its own for it."""
    gc.freeze()
