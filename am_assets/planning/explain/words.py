"""A decision in words: what was decided, and the lines of the recipe that decided."""

from am_assets.config.changes import plain
from am_assets.config.vocabulary import EXCLUDED
from am_assets.datasets.exclusions import FILE
from am_assets.planning.explain.explanation import Decision
from am_assets.planning.explain.lines import Line


def decision_text(decision: Decision, recipe: str) -> str:
    """`dropped by <field>: <value> of recipe <name> (<file>): <what was measured>`"""
    detail = f": {decision.detail}" if decision.detail else ""
    by = "; ".join(_line(line, recipe) for line in decision.lines) or (FILE if decision.why == EXCLUDED else "")
    if decision.kept:
        return "kept" + (f" under {by}" if by else "") + detail
    return f"dropped as {decision.why}" + (f" by {by}" if by else "") + detail


def _line(line: Line, recipe: str) -> str:
    now = f"; the file says {plain(line.now)} now" if line.outdated else ""
    return f"{line.field}: {plain(line.value)} of recipe {recipe} ({line.where}{now})"
