"""The card of a released dataset: `card.md` filled with what is known of its rows; and what all cards share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.licenses import RANK, UNKNOWN, strictest
from am_assets.runtime.wording import counted

SIZES = {1e3: "n<1K", 1e4: "1K<n<10K", 1e5: "10K<n<100K", 1e6: "100K<n<1M", 1e7: "1M<n<10M", 1e8: "10M<n<100M"}
TAGS = ["reasoning", "distillation"]
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
    screens       (screen, responses, released, share) with a finding, see `verification.figures`
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
    screens: pl.DataFrame = field(default_factory=pl.DataFrame)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def repairs(self) -> bool:
        """Whether the recipe repairs references."""
        return bool(self.recipe.get("verification", {}).get("reference", {}).get("repair"))


def card(table: pl.DataFrame, about: About) -> str:
    """Markdown with a YAML head that the hub and `datasets` read, of the rows of `dataset.sft_rows`."""
    own = strictest_of(table)
    said = about.license or own
    return template("card").render(
        head=front_matter(about.name, table, said, "sft", {"default": "train"}, about.languages),
        about=about,
        rows=table.height,
        questions=table["question_id"].n_unique(),
        license=said,
        own=own,
        licenses=licenses(table),
        mixes={name: counts(table, name) for name in ("source", "category", "difficulty", "teacher")},
        stages=[(stage, part.rows()) for (stage,), part in about.funnel.group_by("stage", maintain_order=True)],
        versions=", ".join(f"{name} {version}" for name, version in about.versions.items()),
        recipe=as_yaml(about.recipe),
        extra=bool(table["has_extra"].any()),
    )


def front_matter(
    name: str, table: pl.DataFrame, license: str, tag: str, configs: Mapping[str, str], languages: Sequence[str] = ()
) -> str:
    """The head of a card in YAML. `configs`: by name how its files begin, the one that readers get by default first."""
    files: list[dict[str, Any]] = [
        {"config_name": one, "data_files": [{"split": "train", "path": f"data/{begins}-*.parquet"}]}
        for one, begins in configs.items()
    ]
    if len(files) > 1:
        files[0]["default"] = True
    head = {
        "pretty_name": name,
        **_license(license),
        "language": [*languages],
        "size_categories": [next(size for most, size in SIZES.items() if table.height < most)],
        "task_categories": ["text-generation"],
        "tags": [*TAGS, tag],
        "configs": files,
    }
    return as_yaml({name: value for name, value in head.items() if value})


def as_yaml(content: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def strictest_of(table: pl.DataFrame) -> str:
    """The strictest licence of the rows."""
    return strictest(table["license"].unique()) if table.height else UNKNOWN


def licenses(table: pl.DataFrame) -> pl.DataFrame:
    """(source, license, rows)"""
    named = pl.col("license").fill_null(UNKNOWN)
    return table.group_by("source", license=named).agg(rows=pl.len()).sort("source", "license")


def _license(name: str) -> dict[str, str]:
    if name in RANK and name not in HOUSE:
        return {"license": name}
    return {"license": "other", "license_name": name}


def counts(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """(value, rows) of a column, most frequent first."""
    return table.group_by(column).agg(rows=pl.len()).sort("rows", column, descending=[True, False])


@cache
def template(name: str) -> Any:
    """The template `<name>.md` of this folder."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["counted"] = counted
    environment.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}"
    environment.filters["cell"] = lambda text: " ".join(str(text).replace("|", "¦").split())
    return environment.get_template(f"{name}.md")
