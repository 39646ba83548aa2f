"""A few rows of a table as a Markdown table, for the page of its asset: some that stay and one of each drop reason."""

import dagster as dg
import polars as pl

KEPT = 3  # rows
GAP = " … "
ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\n": " ⏎ "}  # tags would be read as HTML


def sample(frame: pl.DataFrame, rows: int = 5, width: int = 80) -> dg.MetadataValue:
    """`drawn` rows, each cell with beginning and end of its text in `width` characters, without keys and personal
    data."""
    lines = [
        frame.columns,
        ["---"] * frame.width,
        *([_cell(str(one), width) for one in row] for row in drawn(frame, rows).rows()),
    ]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def drawn(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Of a table of decisions KEPT rows that stay and one row for each drop reason, by the last digits of their ids, so
    that the same table shows the same rows; of others `rows` spread over the table."""
    from am_assets.evaluation.examples import draw, one_of_each

    key = next((name for name in ("response_id", "question_id") if name in frame.columns), None)
    if key is None or not {"kept", "drop_reason"} <= {*frame.columns}:
        return frame.gather_every(max(1, frame.height // max(rows, 1))).head(rows)
    kept = frame.filter("kept").sort(draw(key), key).head(KEPT)
    return pl.concat([kept, one_of_each(frame, key).select(frame.columns)])


def _cell(text: str, width: int) -> str:
    from am_assets.verification.screens.base import PIECE
    from am_assets.verification.screens.blanking import blanked

    if len(text) <= width:
        shown = blanked(text, width)
    else:
        end = blanked(text[-PIECE:], PIECE)[-width // 3 :]
        shown = blanked(text, width - len(end) - len(GAP)) + GAP + end
    return "".join(ESCAPED.get(char, char) for char in shown)
