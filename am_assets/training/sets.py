"""What the sets beside the SFT dataset share: chats, and a release of Parquet files with a card.

The card is `set_card.md`, extended by a template of each set.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.files import Section
from am_assets.storage.atomic import written_aside
from am_assets.training.card import as_yaml, counts, front_matter, licenses, strictest_of, template
from am_assets.training.dataset import TURN
from am_assets.training.release import write_parts

VERSION = "1"  # raise when a release comes out otherwise


def user(column: str) -> pl.Expr:
    """A chat of one message, {role, content}, that asks what stands in the column."""
    return pl.concat_list(pl.struct(role=pl.lit("user"), content=pl.col(column)))


def assistant() -> pl.Expr:
    """A chat of one message that responds with the columns `think` and `answer`."""
    return pl.concat_list(pl.struct(role=pl.lit("assistant"), content=TURN))


def write_set(folder: Path, files: Mapping[str, pl.DataFrame], card: str) -> None:
    """Writes a release, atomically: the rows of each of `files` as numbered Parquet files of its name, and a card."""
    with written_aside(folder) as aside:
        (aside / "data").mkdir()
        for name, rows in files.items():
            # Polars' categories become dictionaries, which some readers take for numbers.
            write_parts(rows.with_columns(pl.col(pl.Enum).cast(pl.String)), aside / "data", name)
        (aside / "README.md").write_text(card, encoding="utf-8")


def card(
    kind: str,
    name: str,
    table: pl.DataFrame,
    configs: Mapping[str, str],
    outcomes: Mapping[str, int],
    policy: Section,
    **more: Any,
) -> str:
    """The card of a set: the template of its `kind`, filled with counts of its rows. `configs` are those of
    `card.front_matter`; `outcomes` what became of how many questions; `more` what the template asks for beside."""
    license = strictest_of(table)
    return template(f"{kind}_card").render(
        head=front_matter(name, table, license, kind, configs),
        name=name,
        table=table,
        outcomes=outcomes,
        section=as_yaml(policy.model_dump(mode="json")),
        license=license,
        licenses=licenses(table),
        mixes={column: counts(table, column) for column in ("source", "category", "difficulty")},
        **more,
    )


def bands(values: pl.Series, edges: Sequence[float]) -> list[tuple[str, int]]:
    """How many of the values lie from each edge up to the next, the last edge belonging to the last band; nulls last.

    >>> bands(pl.Series([0.0, 0.5, 1.0, None]), [0, 0.5, 1])
    [('0 to 0.5', 1), ('0.5 to 1', 2), ('none', 1)]
    """
    found = []
    for low, high in pairwise(edges):
        within = (values >= low) & ((values <= high) if high == edges[-1] else (values < high))
        found.append((f"{low:g} to {high:g}", int(within.sum())))
    return [*found, ("none", values.null_count())]
