"""Rendering of the difference of two recipes."""

from rich.table import Column, Table

from am_assets.cli.opening import console, say
from am_assets.planning.diff.asking import Diff
from am_assets.planning.diff.difference import Difference

EXCERPT_CHARS = 70


def show_diff(found: Diff, rows: int) -> None:
    """Print the differing fields, then by set the rows that only one recipe keeps, with reasons and fields."""
    if not found.fields:
        console.print("No field of their policies that decides on rows differs.")
    for change in found.fields:
        one, other = change.values
        say(f"{change.field}: {one} in {found.one}, {other} in {found.other}")
    for difference in (found.questions, found.responses):
        if difference is None:
            console.print("No responses to compare: one of them has verified nothing yet.")
        else:
            _show(difference, found.texts, rows)


def _show(difference: Difference, texts: dict[str, str], rows: int) -> None:
    title = f"{difference.what.capitalize()}: {difference.both:,} in both"
    table = Table("kept by", Column("rows", justify="right"), "in the other", "because of", title=title)
    for side in difference.sides:
        for reason, count, fields in side.reasons.rows():
            table.add_row(side.kept_by, f"{count:,}", f"{side.dropped_by}: {reason}", ", ".join(fields))
    console.print(table)
    for side in difference.sides:
        for row in side.rows.head(rows).iter_rows(named=True):
            text = " ".join(texts.get(row["question_id"], "").split())[:EXCERPT_CHARS]
            say(
                f"  {row['id']} kept by {side.kept_by}, {row['reason']} by {side.dropped_by}"
                f"{': ' + row['detail'] if row['detail'] else ''} | {text}"
            )
