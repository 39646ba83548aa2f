"""Where `am` writes: a console that no text can control, and one that stays with the terminal while a step runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import UnsupportedOperation
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.text import Text

from am_assets.runtime.quoting import visible

STANDARD = (1, 2)  # file descriptors of stdout and stderr


class Terminal(Console):
    """A console on which no text of a file, a model or a provider can control the terminal, wherever it stands: in a
    line, a cell or a title."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(visible(text), **how)


class _Own(Terminal):
    """Measures the terminal by its own handle: while a step runs, the standard ones lead to files."""

    @property  # type: ignore[misc]  # Rich sets it nowhere
    def size(self) -> ConsoleDimensions:
        try:
            columns, lines = os.get_terminal_size(self.file.fileno())
        except (OSError, ValueError):
            return super().size
        return ConsoleDimensions(self._width or columns, lines) if columns else super().size


@contextmanager
def own_handle(console: Console) -> Iterator[Console]:
    """`console` over a duplicate of its file descriptor. Dagster sends the standard ones to the compute logs of a step,
    where frames of a board would leak to, and the terminal would see none. The console itself where its file has no
    descriptor, as in tests."""
    try:
        descriptor = os.dup(console.file.fileno())
    except (OSError, ValueError, UnsupportedOperation):
        yield console
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as handle:
        yield _Own(file=handle)


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing reaches the terminal by the standard handles. What steps print is in their compute logs, and Dagster's
    copies of it would break up a board."""
    sys.stdout.flush()
    sys.stderr.flush()
    with open(os.devnull, "w") as nowhere:
        kept = {standard: os.dup(standard) for standard in STANDARD}
        for standard in STANDARD:
            os.dup2(nowhere.fileno(), standard)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for standard, descriptor in kept.items():
                os.dup2(descriptor, standard)
                os.close(descriptor)
