"""The card of a released dataset: `card.md` filled with what is known of its rows."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.licenses import RANK, UNKNOWN, strictest

SIZES = {1e3: "n<1K", 1e4: "1K<n<10K", 1e5: "10K<n<100K", 1e6: "100K<n<1M", 1e7: "1M<n<10M", 1e8: "10M<n<100M"}
TAGS = ["reasoning", "distillation", "sft"]
HOUSE = ("other", "public-domain")  # names that are no identifiers of the hub


@dataclass(frozen=True)
class About:
    """What a card says beyond the rows.

    recipe        its sections and their settings, as the rows were made with them
    license       of the release, where the recipe says it
    languages     of the answers, ISO 639-1, most frequent first
    funnel        (stage, outcome, rows), see `evaluation.report.funnel`
    rates         by column: (column, responses, passed, pass_rate, unverifiable_share), see `verification.figures`
    contaminated  (benchmark, rule, questions) that were dropped as such; every benchmark of the recipe has a row
    versions      of what made it, by name
    """

    name: str
    content: str  # the content version of the rows
    recipe: dict[str, Any]
    funnel: pl.DataFrame
    license: str | None = None
    languages: list[str] = field(default_factory=list)
    rates: dict[str, pl.DataFrame] = field(default_factory=dict)
    contaminated: pl.DataFrame = field(default_factory=pl.DataFrame)
    versions: dict[str, str] = field(default_factory=dict)


def card(table: pl.DataFrame, about: About) -> str:
    """Markdown with a YAML head that the hub and `datasets` read. `table` is SftDataset."""
    import yaml

    own = strictest(table["license"].unique()) if table.height else UNKNOWN
    said = about.license or own
    head = {
        "pretty_name": about.name,
        **_license(said),
        "language": about.languages,
        "size_categories": [next(size for most, size in SIZES.items() if table.height < most)],
        "task_categories": ["text-generation"],
        "tags": TAGS,
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    }
    return _template().render(
        head=yaml.safe_dump({name: value for name, value in head.items() if value}, sort_keys=False),
        about=about,
        rows=table.height,
        questions=table["question_id"].n_unique(),
        license=said,
        own=own,
        licenses=table.group_by("source", license=pl.col("license").fill_null(UNKNOWN))
        .agg(rows=pl.len())
        .sort("source", "license"),
        mixes={name: _counts(table, name) for name in ("source", "category", "difficulty", "teacher")},
        stages=[(stage, part.rows()) for (stage,), part in about.funnel.group_by("stage", maintain_order=True)],
        versions=", ".join(f"{name} {version}" for name, version in about.versions.items()),
        recipe=yaml.safe_dump(about.recipe, sort_keys=False, allow_unicode=True),
        extra="extra" in table.columns and table["extra"].null_count() < table.height,
    )


def _license(name: str) -> dict[str, str]:
    if name in RANK and name not in HOUSE:
        return {"license": name}
    return {"license": "other", "license_name": name}


def _counts(table: pl.DataFrame, column: str) -> pl.DataFrame:
    return table.group_by(column).agg(rows=pl.len()).sort("rows", column, descending=[True, False])


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}"
    environment.filters["cell"] = lambda text: " ".join(str(text).replace("|", "¦").split())
    return environment.get_template("card.md")
