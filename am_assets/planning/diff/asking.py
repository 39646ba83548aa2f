"""Difference of two recipes of a project, read from their stored sets."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.config.changes import Change
from am_assets.config.files import ConfigError
from am_assets.config.vocabulary import QUESTION_DROPS
from am_assets.planning.diff.difference import Difference, OneSided, differing, one_sided
from am_assets.project import Project
from am_assets.storage.stored import StoredTables

REASON = pl.col("drop_reason").cast(pl.Enum(QUESTION_DROPS))  # of older tables too, which know fewer
NOT_SELECTED, NOT_ASKED = "its question was not selected", "its answer was not asked for"


@dataclass(frozen=True)
class Diff:
    one: str
    other: str
    fields: list[Change]  # from the one to the other
    questions: Difference
    responses: Difference | None  # None where one of them has verified nothing yet
    texts: dict[str, str]  # of the listed questions, by id

    def to_dict(self, rows: int) -> dict[str, Any]:
        differ = [{"field": change.field, self.one: change.before, self.other: change.after} for change in self.fields]
        sets = {"questions": self.questions.to_dict(rows), "responses": self.responses and self.responses.to_dict(rows)}
        return {"recipes": [self.one, self.other], "fields": differ, **sets, "texts": self.texts}


def diff(here: Project, one: str, other: str, rows: int) -> Diff:
    """What each of two recipes keeps alone in its stored sets; texts are read for `rows` rows a side.

    ConfigError where a recipe has no `selected_questions` yet.
    """
    store = StoredTables(here.assets)
    recipes = {name: here.recipe(name) for name in (one, other)}
    for name in recipes:
        if name not in store.partitions("selected_questions"):
            command = f"am apply --recipe {name} --select '+selected_questions'"
            raise ConfigError(f"recipe {name} has selected nothing yet; materialize first: {command}")
    fields = differing(*(store.policies(name, now) for name, now in recipes.items()))
    questions = _difference("questions", "selected_questions", store, (one, other), fields)
    verified = all(name in store.partitions("verified_set") for name in (one, other))
    responses = _difference("responses", "verified_set", store, (one, other), fields) if verified else None
    listed = [side.rows.head(rows)["question_id"] for found in (questions, responses) if found for side in found.sides]
    return Diff(one, other, fields, questions, responses, _texts(store, pl.concat(listed).unique()))


def _difference(what: str, asset: str, store: StoredTables, names: tuple[str, str], fields: list[Change]) -> Difference:
    key = "question_id" if what == "questions" else "response_id"
    kept = [
        store.scan(asset, name).filter("kept").select(pl.col(key).alias("id"), "question_id").unique("id").collect()
        for name in names
    ]
    sides: list[OneSided] = []
    for mine, others, at in ((0, 1, names), (1, 0, names[::-1])):
        alone = kept[mine].join(kept[others], on="id", how="anti")
        fates = _fates_of_questions if what == "questions" else _fates_of_responses
        sides.append(one_sided(alone, fates(store, at[1], alone), NOT_ASKED, at, fields))
    return Difference(what, kept[0].join(kept[1], on="id", how="semi").height, sides)


def _fates_of_questions(store: StoredTables, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The drop reasons of questions under a recipe; for a question in several shards the first counts."""
    wanted = rows.lazy().select("id").unique()
    dropped = [
        _dropped(store, asset, name, id="question_id", reason=REASON) for asset in ("selected_questions", "deduped_set")
    ]
    return pl.concat(dropped).join(wanted, on="id", how="semi").collect().sort("reason", "id")


def _fates_of_responses(store: StoredTables, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    judged = _dropped(store, "verified_set", name, id="response_id", reason=pl.col("drop_reason").cast(pl.String))
    selected = store.scan("selected_questions", name).filter("kept").select("question_id")
    lost = (
        rows.lazy()
        .join(selected, on="question_id", how="anti")
        .select(*_nulls("detail", "decided_by"), "id", reason=pl.lit(NOT_SELECTED))
    )
    return pl.concat([judged.join(rows.lazy(), on="id", how="semi"), lost]).collect()


def _dropped(store: StoredTables, asset: str, name: str, **columns: str | pl.Expr) -> pl.LazyFrame:
    """detail, decided_by and `columns` of dropped rows; `decided_by` is null in tables of a version without it."""
    rows = store.scan(asset, name).filter(~pl.col("kept"))
    absent = {"decided_by"} - set(rows.collect_schema())
    return rows.with_columns(_nulls(*absent)).select("detail", "decided_by", **columns)


def _nulls(*names: str) -> list[pl.Expr]:
    return [pl.lit(None, pl.String).alias(name) for name in names]


def _texts(store: StoredTables, ids: pl.Series) -> dict[str, str]:
    if ids.is_empty():
        return {}
    pools = [store.scan("raw_pool", at) for at in store.partitions("raw_pool")]
    found = pl.concat(pools).filter(pl.col("question_id").is_in(ids.implode())).select("question_id", "question")
    return dict(found.unique("question_id").sort("question_id").collect().rows())
