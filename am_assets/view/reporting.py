"""The frame around the report of a recipe: when it was made, of which content, by which settings, and what people say
of its verdicts. The date and the marks stand in the frame alone, so that the report is the same to the byte."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import yaml

from am_assets.config.vocabulary import QUESTION_DROPS_MEAN, RESPONSE_DROPS_MEAN
from am_assets.view import agreeing, marks
from am_assets.view.shelf import Shelf


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
        "figures_of": agreeing.agreement(store, recipe, said).to_dicts() if said else [],
    }
