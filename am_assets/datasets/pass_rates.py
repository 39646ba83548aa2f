"""Pass rates of questions: bounds on them, and those of a frozen round, which recipes sample by.

A round is what the questions of one recipe came to when `am freeze` kept it, a file that nothing rewrites:

    data/rounds/<recipe>@<version>.parquet    question_id, attempts, passes

Its version is a hash of its rows, so that a recipe which names a round names its content: no later answer, verdict or
edit of the other recipe reaches it, and the same rows have the same name wherever they are frozen.
"""

import io
from hashlib import sha256
from pathlib import Path

import polars as pl

from am_assets.config.agreement import PassRates
from am_assets.config.files import ConfigError
from am_assets.storage.atomic import file_aside
from am_assets.storage.segments import disk_errors

FOLDER = "rounds"  # of a project
VERSION_DIGITS = 12
ROUND = pl.Schema({"question_id": pl.String, "attempts": pl.UInt32, "passes": pl.UInt32})
EXACT = 1e-9  # a rate of 0.9 is nine of ten


def beyond(rates: PassRates) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """By field of `rates`, whether the question's `pass_rate` lies beyond it, and the detail. A question with few
    `attempts` lies beyond none."""
    rate = pl.col("pass_rate")
    sides = {
        "least": (rate < rates.least - EXACT, "<", rates.least),
        "most": (rate > rates.most + EXACT, ">", rates.most),
    }
    return {
        name: (
            (measured(rates) & broken).fill_null(False),
            pl.format(f"pass_rate {{}} {sign} {bound:g}", rate.round(4)),
        )
        for name, (broken, sign, bound) in sides.items()
    }


def measured(rates: PassRates) -> pl.Expr:
    """Whether a question has enough `attempts` for its pass rate to count."""
    return (pl.col("attempts") >= rates.min_attempts).fill_null(False)


def freeze(data: Path, recipe: str, rows: pl.DataFrame) -> str:
    """Keep `rows` (ROUND) as a round of `recipe` in the project folder `data`, and return its name; the same rows
    change nothing."""
    rows = rows.select(pl.col(name).cast(dtype) for name, dtype in ROUND.items()).sort("question_id")
    name = f"{recipe}@{_version(rows)}"
    if not _path(data, name).exists():
        with disk_errors(_path(data, name)), file_aside(_path(data, name)) as aside:
            rows.write_parquet(aside)
    return name


def read_round(data: Path, name: str) -> pl.DataFrame:
    """ROUND and `pass_rate` of the round `name`, as in `demo@4f0c2a7d11be`.

    `ConfigError` where it is not there, with the rounds that are, and where its rows are not those it was named by.
    """
    path = _path(data, name)
    recipe, _, version = name.partition("@")
    if not path.is_file():
        raise ConfigError(
            f"no round {name} in {path.parent}, which has {', '.join(_rounds(path.parent, recipe)) or 'none'};"
            f" am freeze --recipe {recipe} keeps the pass rates that {recipe} has now as a round, and prints its name"
        )
    try:
        rows = pl.read_parquet(path).select(pl.col(name).cast(dtype) for name, dtype in ROUND.items())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ConfigError(
            f"{path}: it can't be read ({type(error).__name__}): put back the file that was frozen"
        ) from None
    if _version(rows) != version:
        raise ConfigError(f"{path}: its rows are not those that were frozen under this name: put back the file")
    return rows.with_columns(pass_rate=pl.col("passes") / pl.col("attempts"))


def _path(data: Path, name: str) -> Path:
    return data / FOLDER / f"{name}.parquet"


def _rounds(folder: Path, recipe: str) -> list[str]:
    """The names of the rounds in a folder, those of `recipe` first."""
    names = [path.stem for path in folder.glob("*@*.parquet")]
    return sorted(names, key=lambda name: (not name.startswith(f"{recipe}@"), name))


def _version(rows: pl.DataFrame) -> str:
    """Of the text of the rows: it does not depend on how a version of a library writes Parquet."""
    text = io.BytesIO()
    rows.write_csv(text)
    return sha256(text.getvalue()).hexdigest()[:VERSION_DIGITS]
