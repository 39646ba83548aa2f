"""The frame around the report of a recipe: when it was made, of which content, by which settings, and what people say
of its verdicts. The date and the marks stand in the frame alone, so that the report is the same to the byte."""

import os
import warnings
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from am_assets.config.vocabulary import QUESTION_DROPS_MEAN, RESPONSE_DROPS_MEAN
from am_assets.evaluation.examples import draw
from am_assets.project import Project
from am_assets.runtime.garbage import importing
from am_assets.runtime.quoting import visible
from am_assets.view import agreeing, marks
from am_assets.view.shelf import WIDTH, Shelf

WRONG = 20  # rows


def frame(shelf: Shelf, recipe: str) -> dict[str, Any]:
    file, store = shelf.report(recipe), shelf.store
    used = store.policies(recipe, shelf.here.recipe(recipe))
    said = marks.read(shelf.here.data)
    made = file.stat().st_mtime if file.exists() else None
    return {
        "made": datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%d %H:%M UTC") if made else None,
        "version": sha256(file.read_bytes()).hexdigest()[:32] if made else None,
        "settings": yaml.safe_dump(used.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        "drops": {"Of questions": QUESTION_DROPS_MEAN, "Of responses": RESPONSE_DROPS_MEAN},
        "where": shelf.here.where(recipe),
        "wrong": wrong_answers(shelf, recipe),
        "failed": partial(failed, shelf.here, recipe),
        "figures_of": agreeing.agreement(store, recipe, said).to_dicts() if said else [],
    }


def failed(here: Project, recipe: str) -> list[tuple[str, str, str]]:
    """See `planning/checks.py`; Dagster is loaded for it, which takes seconds the first time."""
    warnings.filterwarnings("ignore", message=".* is currently in (beta|preview)")
    with importing():
        from am_assets.definitions import build_definitions
        from am_assets.planning.checks import failed_checks

    home = Path(os.environ.get("DAGSTER_HOME", here.instance))
    return failed_checks(home, build_definitions(here), {*here.recipe_partitions} - {recipe})


def wrong_answers(shelf: Shelf, recipe: str) -> list[dict[str, Any]]:
    """WRONG answers that failed against a reference, drawn by their ids: question, reference, what was read of them."""
    from am_assets.verification.screens.blanking import blanked

    rows = shelf.rows(recipe).filter(verdict="fail", evidence="math")
    drawn = rows.sort(draw("response_id"), "response_id").head(WRONG)
    texts = shelf.excerpts(drawn)
    wanted, found = drawn["response_id"].implode(), dict[str, dict[str, Any]]()
    for shard in drawn["shard"].cast(pl.String).unique():
        verdicts = shelf.store.scan("math_verdicts", shard).filter(pl.col("response_id").is_in(wanted)).collect()
        found |= {one["response_id"]: one for one in verdicts.to_dicts()}
    return [
        {**one, "text": texts.get(one["question_id"], ""), "why": told["reason"],
         **{name: visible(blanked(told[name] or "nothing", WIDTH)) for name in ("reference", "extracted")}}
        for one in drawn.to_dicts() if (told := found.get(one["response_id"]))
    ]  # fmt: skip
