"""Vega-Lite charts as PNG bytes, rendered in process without a browser.

Data come from the caller; nothing here aggregates, but for the bins of a histogram.

    bar_chart_png(pl.DataFrame({"source": ["a", "b"], "rows": [3, 5]}), "source", "rows", "Rows by source")
"""

import math
from typing import Any

import polars as pl

HEIGHT = 260  # pixels
STEP = 48  # pixels per bar
ROW = 28  # pixels per row of a heatmap
BINS = 12  # of a histogram
POINTS = 500  # of a line
VEGA = "6.4"  # the version of Vega-Lite that charts are written in


def bar_chart_png(frame: pl.DataFrame, x: str, y: str, title: str) -> bytes:
    """PNG of a bar chart, one bar per row of `frame`, in its order: column `y` (numbers) over column `x` (names)."""
    encoding = {"x": _names("x", x, angle=-40), "y": {"field": "y", "type": "quantitative", "title": y}}
    bars = {"mark": "bar", "encoding": encoding}
    return _png(frame, title, {"x": x, "y": y}, bars, height=HEIGHT, width={"step": STEP})


def histogram_png(values: pl.Series, title: str) -> bytes:
    """PNG of a histogram of `values` with BINS equal ranges, each labelled by its lower end."""
    numbers = values.cast(pl.Float64).to_numpy()
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 0.0)
    width = max((high - low) / BINS, 1e-9)
    at = ((values.cast(pl.Float64) - low) / width).floor().clip(0, BINS - 1).cast(pl.Int64)
    counts = pl.DataFrame({"bin": range(BINS)}).join(at.to_frame("bin").group_by("bin").len(), on="bin", how="left")
    digits = max(0, 1 - math.floor(math.log10(width)))  # enough to distinguish the ends
    edges = [f"{low + place * width:,.{min(digits, 9)}f}" for place in counts["bin"]]
    return bar_chart_png(
        pl.DataFrame({values.name: edges, "rows": counts["len"].fill_null(0)}), values.name, "rows", title
    )


def line_png(frame: pl.DataFrame, x: str, y: str, title: str) -> bytes:
    """PNG of a line of column `y` over column `x` (numbers, ascending), through at most about POINTS of its rows."""
    encoding = {axis: {"field": axis, "type": "quantitative", "title": name} for axis, name in (("x", x), ("y", y))}
    line = {"mark": "line", "encoding": encoding}
    return _png(
        frame.gather_every(max(1, frame.height // POINTS)),
        title,
        {"x": x, "y": y},
        line,
        height=HEIGHT,
        width=2 * HEIGHT,
    )


def heatmap_png(frame: pl.DataFrame, x: str, y: str, number: str, title: str) -> bytes:
    """PNG of a heatmap, one cell per row of `frame`: column `number` by columns `x` and `y`, in the order of rows."""
    at = {"x": _names("x", x, angle=-40), "y": _names("y", y)}
    field, top = {"field": "number", "type": "quantitative"}, max([1, *frame[number].to_list()])
    shades = field | {"scale": {"scheme": "blues", "domain": [0, top]}, "legend": None}
    ink = {"condition": {"test": f"datum.number > {top / 2}", "value": "white"}, "value": "black"}
    fields = {"mark": "rect", "encoding": at | {"color": shades}}
    numbers = {"mark": "text", "encoding": at | {"text": field, "color": ink}}
    columns = {"x": x, "y": y, "number": number}
    return _png(frame, title, columns, {"layer": [fields, numbers]}, height={"step": ROW}, width={"step": STEP})


def intervals_png(scores: pl.DataFrame, title: str) -> bytes:
    """PNG of shares (0 to 1) with their intervals, one per row of `scores` (who, value, ci_low, ci_high)."""
    names = _names("x", "who", angle=0)
    share = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": "%", "title": "value"}}
    whiskers = {
        "mark": {"type": "errorbar", "ticks": {"size": 12}},
        "encoding": {"x": names, "y": share | {"field": "low"}, "y2": {"field": "high"}},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {"x": names, "y": share | {"field": "at"}},
    }
    columns = {"x": "who", "low": "ci_low", "at": "value", "high": "ci_high"}
    return _png(scores, title, columns, {"layer": [whiskers, points]}, height=HEIGHT, width={"step": 2 * STEP})


def svg_png(svg: str) -> bytes:
    """PNG of an SVG image."""
    import vl_convert

    png: bytes = vl_convert.svg_to_png(svg)
    return png


def _names(field: str, title: str, angle: int | None = None) -> dict[str, Any]:
    """A nominal axis in the order of the rows."""
    axis = {"title": title} | ({} if angle is None else {"labelAngle": angle})
    return {"field": field, "type": "nominal", "sort": None, "axis": axis}


def _png(frame: pl.DataFrame, title: str, columns: dict[str, str], chart: dict[str, Any], **size: Any) -> bytes:
    """PNG of `chart` over `columns` of `frame`, renamed, as Vega interprets . and ' in field names.

    `ValueError` names columns that `frame` lacks.
    """
    import vl_convert

    missing = set(columns.values()) - set(frame.columns)
    if missing:
        raise ValueError(f"chart {title!r}: no column {', '.join(sorted(missing))} in {frame.columns}")
    values = frame.select(**{ours: pl.col(theirs) for ours, theirs in columns.items()}).to_dicts()
    spec = {"title": title, "data": {"values": values}, **size, **chart}
    png: bytes = vl_convert.vegalite_to_png(spec, vl_version=VEGA)
    return png
