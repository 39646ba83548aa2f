"""`docs/fields.md`: what the edit of each field reaches, as the trials found it."""

from pathlib import Path

from am_assets_tests.rebuild.compare import DEEP, Trial
from am_assets_tests.rebuild.edits import UNEXERCISED
from am_assets_tests.rebuild.fields import Field

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"
SHOWN = 60  # characters of a value
HEAD = """\
# What each field reaches

Every field of every file under `data/`, edited in a small project: what an apply makes again, and in **bold** what of
it comes out different there. What is not named is left alone. Fields marked † are carried as far as trained students
and their scores, all others as far as the dataset and the report.

Written by `python -m am_assets_tests.bench.every_field --write`, held by `am_assets_tests/rebuild`.

| field | edited to | made again |
|---|---|---|
"""


def line(trial: Trial) -> str:
    made = [f"**{name}**" if name in trial.changed else name for name in trial.ran]
    mark = " †" if trial.field.startswith(DEEP) else ""
    value = trial.value.replace("|", "¦")
    shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    return f"| `{trial.field}`{mark} | `{shown}` | {', '.join(made) or 'nothing'} |"


def lines() -> dict[str, str]:
    """The rows of the page by field."""
    rows = [row for row in PAGE.read_text().splitlines() if row.startswith("| `")] if PAGE.exists() else []
    return {row.split("`")[1]: row for row in rows}


def write(fields: list[Field], trials: list[Trial]) -> None:
    """Write the page with what `trials` found. Of other fields what it says stays; one never tried has no line."""
    found = lines() | {trial.field: line(trial) for trial in trials}
    found |= {name: f"| `{name}` | | not exercised: {why} |" for name, why in UNEXERCISED.items()}
    PAGE.write_text(HEAD + "".join(f"{found[field.name]}\n" for field in fields if field.name in found))
