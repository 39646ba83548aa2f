"""Pictures: altair charts as PNG bytes, drawn in process without a browser.

What is plotted is the caller's; nothing here counts or decides.
"""

import io
import math

import polars as pl

HEIGHT = 260  # pixels
STEP = 48  # pixels a bar


def bar_chart_png(frame: pl.DataFrame, x: str, y: str, title: str) -> bytes:
    """PNG of one bar a row of `frame`, in its order: column `y` (a number) over column `x` (a name)."""
    import altair as alt

    bars = _chart(frame, title, x=x, y=y).properties(height=HEIGHT, width=alt.Step(STEP)).mark_bar()
    names = alt.X("x", type="nominal", sort=None, axis=alt.Axis(title=x, labelAngle=-40))
    return _png(bars.encode(x=names, y=alt.Y("y", type="quantitative", title=y)))


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
    import altair as alt

    at = {
        "x": alt.X("x", type="nominal", sort=None, axis=alt.Axis(title=x, labelAngle=-40)),
        "y": alt.Y("y", type="nominal", sort=None, title=y),
    }
    chart = _chart(frame, title, x=x, y=y, number=number).properties(height=alt.Step(28), width=alt.Step(STEP))
    top = max([1, *frame[number].to_list()])
    shades = alt.Color("number", type="quantitative", scale=alt.Scale(scheme="blues", domain=[0, top]), legend=None)
    ink = alt.condition(f"datum.number > {top / 2}", alt.value("white"), alt.value("black"))
    fields = chart.mark_rect().encode(**at, color=shades)
    return _png(fields + chart.mark_text().encode(**at, text=alt.Text("number", type="quantitative"), color=ink))


def intervals_png(frame: pl.DataFrame, x: str, low: str, at: str, high: str, title: str) -> bytes:
    """PNG of shares of 1 with their intervals, one a row of `frame`, named by column `x`."""
    import altair as alt

    chart = _chart(frame, title, x=x, low=low, at=at, high=high).properties(height=HEIGHT, width=alt.Step(2 * STEP))
    names = alt.X("x", type="nominal", sort=None, axis=alt.Axis(title=x, labelAngle=0))
    axis, scale = alt.Axis(format="%", title=at), alt.Scale(domain=[0, 1])
    ends = alt.Y("low", type="quantitative", axis=axis, scale=scale)
    whiskers = chart.mark_errorbar(ticks={"size": 12}).encode(x=names, y=ends, y2=alt.Y2("high"))
    points = chart.mark_point(filled=True, size=90).encode(x=names, y=alt.Y("at", type="quantitative"))
    return _png(whiskers + points)


def svg_png(svg: str) -> bytes:
    """PNG of a drawing."""
    import vl_convert

    return vl_convert.svg_to_png(svg)


def _chart(frame: pl.DataFrame, title: str, **columns: str):
    """A chart of some columns of `frame` under names of ours: vega reads . and ' in names."""
    import altair as alt

    missing = set(columns.values()) - set(frame.columns)
    if missing:
        raise ValueError(f"chart {title!r}: no column {', '.join(sorted(missing))} in {frame.columns}")
    values = frame.select(**{ours: pl.col(theirs) for ours, theirs in columns.items()}).to_dicts()
    return alt.Chart(alt.Data(values=values), title=title)


def _png(chart) -> bytes:
    png = io.BytesIO()
    chart.save(png, format="png")
    return png.getvalue()
