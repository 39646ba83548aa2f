"""Rendering of an explanation."""

from collections.abc import Iterator
from typing import Any

from am_assets.cli.opening import say
from am_assets.planning.explain.explanation import Explanation
from am_assets.planning.explain.words import decision_text

VALUE_CHARS = 120


def show_explanation(explanation: Explanation) -> None:
    for style, line in _lines(explanation):
        say(line, style)


def show_outdated(lines: list[str]) -> None:
    for line in lines:
        say(line, "yellow")


def _lines(explanation: Explanation) -> Iterator[tuple[str | None, str]]:
    yield "bold", f"{explanation.question_id} under recipe {explanation.recipe}"
    yield None, f"  {_short(explanation.question)}"
    for part in explanation.parts:
        yield "bold", part.name
        for fact in part.facts or [{"": "none"}]:
            yield None, "  " + ", ".join(_fact(name, value) for name, value in fact.items() if value is not None)
        if part.decision:
            yield "green" if part.decision.kept else "red", f"  {decision_text(part.decision, explanation.recipe)}"


def _fact(name: str, value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else _short(str(value))
    return f"{name}: {text}" if name else text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= VALUE_CHARS else line[: VALUE_CHARS - 1] + "…"
