"""SVG diagrams of a report: the funnel as a Sankey diagram, and a curve.

Shapes have classes instead of colours: the style sheet of the page sets those of light and dark mode, `PRINTED` those
of a PNG. Layout only, nothing is counted here. Every text is escaped.
"""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from am_assets.runtime.wording import counted

PRINTED = """
svg{font:12px sans-serif}.ground{fill:#fff}
text{fill:#1d232b}.muted{fill:#57616d}.strong{font-weight:bold}.title{font-size:17px;font-weight:bold}
.node{fill:#1f5f9e}.kept{fill:#9dc1e4}.turned{fill:#c9d4df}.drop{fill:#e9b48f}.end{fill:#b4531c}
"""
STEP, TOP, BAND = 168, 44, 220  # pixels: distance of nodes, space above the flow, height of the largest node
NODE, DROP_AT, SLOT = 10, 54, 34  # pixels: width of a node, offset of the end of a drop, height of a label
NODES = {
    "pool": "input rows",
    "dedup": "distinct questions",
    "selection": "deduplicated",
    "distillation": "asked",
    "verification": "responses",
    "dataset": "released",
}
SHORT = {"questions without response": "no response"}


def sankey_svg(funnel: pl.DataFrame, title: str = "", css: str = "") -> Markup:
    """The funnel of a RecipeReport from left to right: kept rows flow on, dropped rows bend down to their reason.

    In distillation the unit changes from questions to responses, and with it the width of the flow.

    >>> sankey_svg(recipe_report, "paper", css=PRINTED)
    """
    counts = {stage: dict(rows.select("outcome", "rows").rows()) for (stage,), rows in funnel.group_by("stage")}
    most = max(max(counts[stage]["in"] for stage in NODES), 1)
    top = TOP + (36 if title else 0)
    shapes, labels, bottom = Markup(), Markup(), float(top + BAND)

    def height_of(rows: int) -> float:
        return max(rows / most * BAND, 1.0) if rows else 0.0

    for i, (stage, name) in enumerate(NODES.items()):
        x, outcomes = 4 + i * STEP, dict(counts[stage])
        entered, kept = outcomes.pop("in"), outcomes.pop("kept")
        labels += _label(x, top - 24, name, f"{entered:,}")
        shapes += _bar(x, top, height_of(entered), "node", f"{name}: {entered:,}")
        if stage == "dataset":
            break
        follows = outcomes.pop("responses", kept)
        turned = stage == "distillation"
        tooltip = f"{counted(follows, 'response')} to {counted(kept, 'question')}" if turned else f"{kept:,} stay"
        band = _ribbon(
            x + NODE, top, height_of(kept), x + STEP, top, height_of(follows), "turned" if turned else "kept", tooltip
        )
        shapes += band
        leaves_at, end = top + height_of(kept), top + max(height_of(kept), height_of(follows)) + 18
        for outcome, rows in outcomes.items():
            if not rows:
                continue
            tall = height_of(rows)
            tooltip = f"{SHORT.get(outcome, outcome)}: {rows:,} of {entered:,}"
            shapes += _ribbon(x + NODE, leaves_at, tall, x + DROP_AT, end, tall, "drop", tooltip)
            shapes += _bar(x + DROP_AT, end, tall, "end", tooltip, width=4)
            labels += _label(x + DROP_AT + 9, end + 10, SHORT.get(outcome, outcome), f"{rows:,}")
            leaves_at, end = leaves_at + tall, end + max(tall + 10, SLOT)
        bottom = max(bottom, end)
    width = 4 + (len(NODES) - 1) * STEP + 84
    head = Markup('<text class="title" x="4" y="22">{}</text>').format(title) if title else Markup()
    return _svg(width, round(bottom + 6), "The funnel from input rows to released rows", head + shapes + labels, css)


def curve_svg(points: Sequence[tuple[float, float]], x_title: str, y_title: str, mark: float | None = None) -> Markup:
    """A curve of counts by threshold, or of losses by step, from zero; `mark` is the recipe's own threshold."""
    left, right, top, bottom = 56, 404, 26, 170
    low, high = points[0][0], points[-1][0]
    most = max(max(count for _, count in points), 1)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + (x - low) / max(high - low, 1e-9) * (right - left), bottom - y / most * (bottom - top)

    places = [at(x, y) for x, y in points]
    drawn = Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(left, top, bottom, right)
    drawn += Markup('<polyline class="line" points="{}"/>').format(" ".join(f"{x:.1f},{y:.1f}" for x, y in places))
    for (x, y), (threshold, count) in zip(places, points, strict=True):
        tooltip = f"{x_title} {threshold:g}: {count:,}"
        drawn += Markup('<circle class="dot" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>').format(
            f"{x:.1f}", f"{y:.1f}", tooltip
        )
    for value in (low, (low + high) / 2, high):
        drawn += _text(at(value, 0)[0], bottom + 16, f"{value:.3g}", "muted", "middle")
    drawn += _text(left - 7, bottom, "0", "muted", "end") + _text(left - 7, top + 5, f"{most:,}", "muted", "end")
    drawn += _text((left + right) / 2, bottom + 34, x_title, "", "middle") + _text(4, 12, y_title)
    if mark is not None and low <= mark <= high:
        x = at(mark, 0)[0]
        drawn += Markup('<path class="mark" d="M{0} {1}V{2}"/>').format(f"{x:.1f}", top - 4, bottom)
        drawn += _text(x, top - 8, f"recipe: {mark:g}", "", "end" if x > (left + right) / 2 else "start")
    return _svg(412, 210, f"{y_title} by {x_title}", drawn)


def _svg(width: int, height: int, title: str, inside: Markup, css: str = "") -> Markup:
    # A PNG has a background of its own, as its viewer may be dark.
    ground = Markup('<style>{}</style><rect class="ground" width="100%" height="100%"/>').format(Markup(css))
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {0} {1}" width="{0}" height="{1}">'
        "<title>{2}</title>{3}{4}</svg>"
    ).format(width, height, title, ground if css else "", inside)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, text
    )


def _label(x: float, y: float, name: str, count: str) -> Markup:
    return _text(x, y, name, "muted") + _text(x, y + 15, count, "strong")


def _bar(x: float, y: float, height: float, kind: str, tooltip: str, width: int = NODE) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
        kind, x, f"{y:.1f}", width, f"{height:.1f}", tooltip
    )


def _ribbon(x: float, y: float, height: float, to_x: float, to_y: float, to_height: float, kind: str, tooltip: str):
    bend = (x + to_x) / 2
    path = (
        f"M{x} {y:.1f}C{bend} {y:.1f} {bend} {to_y:.1f} {to_x} {to_y:.1f}V{to_y + to_height:.1f}"
        f"C{bend} {to_y + to_height:.1f} {bend} {y + height:.1f} {x} {y + height:.1f}Z"
    )
    return Markup('<path class="{}" d="{}"><title>{}</title></path>').format(kind, path, tooltip)
