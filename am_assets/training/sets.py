"""What the sets beside the SFT dataset share: chats, and a release of Parquet files with a card.

The card is `set_card.md`, extended by a template of each set.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.files import Section
from am_assets.storage.atomic import written_aside
from am_assets.storage.segments import GROUP_BYTES
from am_assets.storage.streams import groups, text_bytes
from am_assets.training.card import as_yaml, counts, front_matter, licenses, strictest_of, template
from am_assets.training.release import ROW_GROUP

VERSION = "1"  # raise when a release comes out otherwise
FILE_BYTES = 500_000_000  # of text in a file: packed it is a fraction of that
Forms = Callable[[pl.DataFrame, int], Mapping[str, pl.DataFrame]]  # of rows and the number of the first


def chat(role: str, content: str | pl.Series) -> pl.Expr:
    """A chat of one message, {role, content}; the content as it stands, or in the column of that name."""
    return pl.concat_list(pl.struct(role=pl.lit(role), content=content))


def written(
    folder: Path, frames: Iterable[pl.DataFrame], empty: pl.DataFrame, forms: Forms, card: str
) -> Iterator[pl.DataFrame]:
    """Passes `frames` on, each of the columns of `empty`, and writes a release of them, atomically: their rows in each
    of `forms`, as numbered Parquet files of its name, and a card."""
    with written_aside(folder) as aside:
        (aside / "data").mkdir()
        at, held, number = 0, 0, 0
        with ExitStack() as files:
            writers = _opened(aside / "data", number, forms(empty, 0), files)
            for rows in groups(frames, GROUP_BYTES, ROW_GROUP):
                size = int(text_bytes(rows).sum())
                if held and held + size > FILE_BYTES:
                    files.close()
                    held, number = 0, number + 1
                    writers = _opened(aside / "data", number, forms(empty, 0), files)
                for name, form in forms(rows, at).items():
                    writers[name].write_table(_arrow(form).cast(writers[name].schema))
                at, held = at + rows.height, held + size
                yield rows
        (aside / "README.md").write_text(card, encoding="utf-8")


def _opened(folder: Path, number: int, forms: Mapping[str, pl.DataFrame], files: ExitStack) -> dict[str, Any]:
    import pyarrow.parquet as pq

    return {
        name: files.enter_context(
            pq.ParquetWriter(folder / f"{name}-{number:05}.parquet", _arrow(empty).schema, compression="zstd")
        )
        for name, empty in forms.items()
    }


def _arrow(rows: pl.DataFrame) -> Any:
    """Polars' categories become dictionaries, which some readers take for numbers."""
    return rows.with_columns(pl.col(pl.Enum).cast(pl.String)).to_arrow()


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
