"""Rendering of an explanation."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from am_assets.config.changes import plain
from am_assets.planning.explain.explanation import Decision, Explanation
from am_assets.planning.explain.lines import Line

VALUE_CHARS = 120


def show_explanation(console: Console, explanation: Explanation) -> None:
    for style, line in _lines(explanation):
        _show(console, line, style)


def show_outdated(console: Console, lines: list[str]) -> None:
    for line in lines:
        _show(console, line, "yellow")


def _show(console: Console, line: str, style: str | None) -> None:
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def _lines(explanation: Explanation) -> Iterator[tuple[str | None, str]]:
    yield "bold", f"{explanation.question_id} under recipe {explanation.recipe}"
    yield None, f"  {_short(explanation.question)}"
    for part in explanation.parts:
        yield "bold", part.name
        for fact in part.facts or [{"": "nothing is stored"}]:
            yield None, "  " + ", ".join(_fact(name, value) for name, value in fact.items() if value is not None)
        if part.decision:
            yield "green" if part.decision.kept else "red", f"  {decision_text(part.decision, explanation.recipe)}"


def decision_text(decision: Decision, recipe: str) -> str:
    """`dropped by <field>: <value> of recipe <name> (<file>): <what was measured>`"""
    detail = f": {decision.detail}" if decision.detail else ""
    by = "; ".join(_line(line, recipe) for line in decision.lines)
    if decision.kept:
        return "kept" + (f" under {by}" if by else "") + detail
    return f"dropped as {decision.why}" + (f" by {by}" if by else "") + detail


def _line(line: Line, recipe: str) -> str:
    now = f"; the file says {plain(line.now)} now" if line.outdated else ""
    return f"{line.field}: {plain(line.value)} of recipe {recipe} ({line.where}{now})"


def _fact(name: str, value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else _short(str(value))
    return f"{name}: {text}" if name else text


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= VALUE_CHARS else line[: VALUE_CHARS - 1] + "…"
