"""Pictures: altair charts as PNG bytes, drawn in process without a browser.

What is plotted is the caller's; nothing here counts or decides.
"""

import polars as pl

HEIGHT = 260  # pixels
STEP = 48  # pixels a bar


def bar_chart_png(frame: pl.DataFrame, x: str, y: str, title: str) -> bytes:
    """PNG of one bar a row of `frame`, in its order: column `y` (a number) over column `x` (a name)."""
    import io

    import altair as alt

    missing = {x, y} - set(frame.columns)
    if missing:
        raise ValueError(f"bar chart {title!r}: no column {', '.join(sorted(missing))} in {frame.columns}")
    values = [
        {"x": name, "y": number} for name, number in frame.select(x, y).iter_rows()
    ]  # vega reads . and ' in names
    bars = alt.Chart(alt.Data(values=values), title=title, height=HEIGHT, width=alt.Step(STEP)).mark_bar()
    names = alt.X("x", type="nominal", sort=None, axis=alt.Axis(title=x, labelAngle=-40))
    drawn = bars.encode(x=names, y=alt.Y("y", type="quantitative", title=y))
    png = io.BytesIO()
    drawn.save(png, format="png")
    return png.getvalue()


def histogram_png(values: pl.Series, title: str, bins: int = 12) -> bytes:
    """PNG of how many `values` fall into each of `bins` equal ranges; a range is named by its lower end."""
    numbers = values.cast(pl.Float64).to_numpy()
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 0.0)
    width = max((high - low) / bins, 1e-9)
    at = ((values.cast(pl.Float64) - low) / width).floor().clip(0, bins - 1).cast(pl.Int64)
    counts = pl.DataFrame({"bin": range(bins)}).join(at.to_frame("bin").group_by("bin").len(), on="bin", how="left")
    edges = (counts["bin"] * width + low).round(0).cast(pl.Int64).cast(pl.String)
    return bar_chart_png(
        pl.DataFrame({values.name: edges, "rows": counts["len"].fill_null(0)}), values.name, "rows", title
    )


def svg_png(svg: str) -> bytes:
    """PNG of a drawing."""
    import vl_convert

    return vl_convert.svg_to_png(svg)
