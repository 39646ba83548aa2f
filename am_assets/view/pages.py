"""Templates: every value is escaped, none is marked as safe."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import escape

from am_assets.config.files import ConfigError

FLUSH = "\x00"  # in a template: what was made so far is sent before what follows is waited for
SENT_CHARS = 16_000  # at once


def rendered(name: str, **content: Any) -> str:
    return _environment().get_template(name).render(**content).replace(FLUSH, "")


def streamed(name: str, **content: Any) -> Iterator[str]:
    """A page in parts, as its template makes them."""
    waiting: list[str] = []
    size = 0
    try:
        for piece in _environment().get_template(name).generate(**content):
            waiting.append(piece.replace(FLUSH, ""))
            size += len(piece)
            if FLUSH in piece or size > SENT_CHARS:
                yield "".join(waiting)
                waiting, size = [], 0
    except ConfigError as error:
        waiting.append(f'<p class="nothing">{escape(str(error))}</p>')
    yield "".join(waiting)


@cache
def _environment():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"flush": FLUSH}
    environment.filters["number"] = lambda value: "-" if value is None else f"{value:,}"
    environment.filters["share"] = lambda value: "-" if value is None else f"{value:.1%}"
    return environment
