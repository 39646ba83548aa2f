"""Pictures: Vega-Lite charts as PNG bytes, drawn in process without a browser.

What is plotted is the caller's; nothing here counts or decides.
"""

import math
from typing import Any

import polars as pl

HEIGHT = 260  # pixels
STEP = 48  # pixels a bar
ROW = 28  # pixels a row of fields
VEGA = "6.4"  # the version of Vega-Lite that charts are written in


def bar_chart_png(frame: pl.DataFrame, x: str, y: str, title: str) -> bytes:
    """PNG of one bar a row of `frame`, in its order: column `y` (a number) over column `x` (a name)."""
    encoding = {"x": _names("x", x, angle=-40), "y": {"field": "y", "type": "quantitative", "title": y}}
    bars = {"mark": "bar", "encoding": encoding}
    return _png(frame, title, {"x": x, "y": y}, bars, height=HEIGHT, width={"step": STEP})


def histogram_png(values: pl.Series, title: str, bins: int = 12) -> bytes:
    """PNG of how many `values` fall into each of `bins` equal ranges; a range is named by its lower end."""
    numbers = values.cast(pl.Float64).to_numpy()
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 0.0)
    width = max((high - low) / bins, 1e-9)
    at = ((values.cast(pl.Float64) - low) / width).floor().clip(0, bins - 1).cast(pl.Int64)
    counts = pl.DataFrame({"bin": range(bins)}).join(at.to_frame("bin").group_by("bin").len(), on="bin", how="left")
    digits = max(0, 1 - math.floor(math.log10(width)))  # two that tell the ends apart
    edges = [f"{low + place * width:,.{min(digits, 9)}f}" for place in counts["bin"]]
    return bar_chart_png(
        pl.DataFrame({values.name: edges, "rows": counts["len"].fill_null(0)}), values.name, "rows", title
    )


def heatmap_png(frame: pl.DataFrame, x: str, y: str, number: str, title: str) -> bytes:
    """PNG of a field a row of `frame`: column `number` where the names `x` and `y` meet, in the order of the rows."""
    at = {"x": _names("x", x, angle=-40), "y": _names("y", y)}
    field, top = {"field": "number", "type": "quantitative"}, max([1, *frame[number].to_list()])
    shades = field | {"scale": {"scheme": "blues", "domain": [0, top]}, "legend": None}
    ink = {"condition": {"test": f"datum.number > {top / 2}", "value": "white"}, "value": "black"}
    fields = {"mark": "rect", "encoding": at | {"color": shades}}
    numbers = {"mark": "text", "encoding": at | {"text": field, "color": ink}}
    columns = {"x": x, "y": y, "number": number}
    return _png(frame, title, columns, {"layer": [fields, numbers]}, height={"step": ROW}, width={"step": STEP})


def intervals_png(frame: pl.DataFrame, x: str, low: str, at: str, high: str, title: str) -> bytes:
    """PNG of shares of 1 with their intervals, one a row of `frame`, named by column `x`."""
    names = _names("x", x, angle=0)
    share = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": "%", "title": at}}
    whiskers = {
        "mark": {"type": "errorbar", "ticks": {"size": 12}},
        "encoding": {"x": names, "y": share | {"field": "low"}, "y2": {"field": "high"}},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {"x": names, "y": share | {"field": "at"}},
    }
    columns = {"x": x, "low": low, "at": at, "high": high}
    return _png(frame, title, columns, {"layer": [whiskers, points]}, height=HEIGHT, width={"step": 2 * STEP})


def svg_png(svg: str) -> bytes:
    """PNG of a drawing."""
    import vl_convert

    return vl_convert.svg_to_png(svg)


def _names(field: str, title: str, angle: int | None = None) -> dict[str, Any]:
    """An axis of names in the order of the rows."""
    axis = {"title": title} | ({} if angle is None else {"labelAngle": angle})
    return {"field": field, "type": "nominal", "sort": None, "axis": axis}


def _png(frame: pl.DataFrame, title: str, columns: dict[str, str], chart: dict[str, Any], **size: Any) -> bytes:
    """PNG of a chart of some columns of `frame` under names of ours: vega reads . and ' in names."""
    import vl_convert

    missing = set(columns.values()) - set(frame.columns)
    if missing:
        raise ValueError(f"chart {title!r}: no column {', '.join(sorted(missing))} in {frame.columns}")
    values = frame.select(**{ours: pl.col(theirs) for ours, theirs in columns.items()}).to_dicts()
    return vl_convert.vegalite_to_png({"title": title, "data": {"values": values}, **size, **chart}, vl_version=VEGA)
