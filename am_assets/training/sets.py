"""What the sets beside the SFT dataset share: chats, and a release of Parquet files and a card.

data/<split or form>-<n>.parquet
README.md                           the card: `set_card.md`, extended by a template of each set
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.files import Section
from am_assets.config.licenses import UNKNOWN, strictest
from am_assets.storage.atomic import written_aside

VERSION = "1"  # raise when a release comes out otherwise
FILE_BYTES = 500_000_000  # at most, in memory
TURN = pl.format("<think>{}</think>\n<answer>{}</answer>", "think", "answer")


def user(column: str) -> pl.Expr:
    """A chat of one message, {role, content}, that asks what stands in the column."""
    return pl.concat_list(pl.struct(role=pl.lit("user"), content=pl.col(column)))


def assistant() -> pl.Expr:
    """A chat of one message that responds with the columns `think` and `answer`."""
    return pl.concat_list(pl.struct(role=pl.lit("assistant"), content=TURN))


def write_set(folder: Path, files: Mapping[str, pl.DataFrame], card: str) -> None:
    """Writes a release, atomically: the rows of each of `files` as numbered Parquet files of that name, and the card."""
    with written_aside(folder) as aside:
        (aside / "data").mkdir()
        for name, rows in files.items():
            # Polars' categories become dictionaries, which some readers take for numbers.
            plain = rows.with_columns(pl.col(pl.Enum).cast(pl.String))
            for number, part in enumerate(_parts(plain, FILE_BYTES)):
                part.write_parquet(aside / "data" / f"{name}-{number:05}.parquet")
        (aside / "README.md").write_text(card, encoding="utf-8")


def _parts(rows: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    if rows.height > 1 and rows.estimated_size() > most:
        half = rows.height // 2
        yield from _parts(rows[:half].clone().rechunk(), most)
        yield from _parts(rows[half:].clone().rechunk(), most)
    else:
        yield rows


def card(
    template: str,
    name: str,
    table: pl.DataFrame,
    configs: Sequence[str],
    outcomes: Mapping[str, int],
    policy: Section,
    **more: Any,
) -> str:
    """The card of a set: `template` filled with counts of its rows. `configs` are the names of its files, of which the
    first is what readers get that name none; `outcomes` what became of how many questions."""
    import yaml

    head = {
        "pretty_name": name,
        "task_categories": ["text-generation"],
        "configs": [
            {"config_name": one if len(configs) > 1 else "default", "default": one == configs[0]}
            | {"data_files": [{"split": "train", "path": f"data/{one}-*.parquet"}]}
            for one in configs
        ],
    }
    licenses = table.group_by("source", license=pl.col("license").fill_null(UNKNOWN)).agg(rows=pl.len())
    return _template(template).render(
        head=yaml.safe_dump(head, sort_keys=False, allow_unicode=True),
        name=name,
        table=table,
        outcomes=outcomes,
        section=yaml.safe_dump(policy.model_dump(mode="json"), sort_keys=False),
        license=strictest(table["license"].unique()) if table.height else UNKNOWN,
        licenses=licenses.sort("source", "license"),
        mixes={column: _counts(table, column) for column in ("source", "category", "difficulty")},
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


def _counts(table: pl.DataFrame, column: str) -> pl.DataFrame:
    return table.group_by(column).agg(rows=pl.len()).sort("rows", column, descending=[True, False])


@cache
def _template(name: str) -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["cell"] = lambda text: " ".join(str(text).replace("|", "¦").split())
    return environment.get_template(f"{name}_card.md")
