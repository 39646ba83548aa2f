"""Example rows of a report: a sample of the released rows, and one dropped row per reason.

Rows are chosen by id alone: ids are hashes, so that their last digits are an unbiased, reproducible draw.
"""

import polars as pl

from am_assets.config.vocabulary import QUESTION_DROPS, WITHHELD

SAMPLED = 20
DRAWN = 13  # last digits of an id

Rows = list[dict[str, str | None]]


def sampled(rows: pl.DataFrame) -> list[str]:
    """The response ids of the sample, in display order."""
    return rows.select("response_id").sort(draw("response_id"), "response_id")["response_id"].head(SAMPLED).to_list()


def one_of_each(dropped: pl.DataFrame, key: str) -> pl.DataFrame:
    """For each drop reason, in the order of the rules, the row with the lowest draw."""
    first = dropped.drop_nulls("drop_reason").sort("drop_reason", draw(key), key, pl.all().exclude(key, "drop_reason"))
    return first.unique("drop_reason", keep="first", maintain_order=True)


def draw(key: str) -> pl.Expr:
    """By which rows are drawn; the id itself settles ties."""
    return pl.col(key).str.slice(-DRAWN)


def kept_rows(ids: list[str], released: pl.LazyFrame) -> Rows:
    """The released rows with these ids, in this order, with their texts. `ValueError` where one lacks them."""
    rows = {row["response_id"]: row for row in released.filter(pl.col("response_id").is_in(ids)).collect().to_dicts()}
    if lost := [key for key in ids if rows[key]["question"] is None]:
        raise ValueError(f"the release lacks {len(lost)} of its rows, first {lost[0]}: materialize sft_dataset again")
    return [rows[key] for key in ids]


def dropped_questions(deduped: pl.DataFrame, selected: pl.DataFrame, pool: pl.LazyFrame) -> Rows:
    """One question per drop reason: question_id, source, drop_reason, detail, question, instead (the text of its
    representative)."""
    columns = ["question_id", "source", "drop_reason", "detail"]
    nobody = pl.lit(None, pl.String)
    examples = pl.concat(
        one_of_each(table.select(*columns, representative=instead), "question_id").cast(
            {"drop_reason": pl.Enum(QUESTION_DROPS)}  # tables that an earlier version made know fewer
        )
        for table, instead in ((deduped, pl.col("representative")), (selected, nobody))
    )
    texts = _texts(
        pool, "question_id", "question", [*examples["question_id"], *examples["representative"].drop_nulls()]
    )
    return [
        {**row, "question": texts.get(row["question_id"]), "instead": texts.get(row["representative"])}
        for row in examples.to_dicts()
    ]


def dropped_responses(verified: pl.DataFrame, responses: pl.LazyFrame, pool: pl.LazyFrame) -> Rows:
    """One response per drop reason: the columns of VerifiedSet, question, response; without texts where a screen found
    a key or personal data in them."""
    examples = one_of_each(verified, "response_id")
    questions = _texts(pool, "question_id", "question", examples["question_id"].to_list())
    texts = _texts(responses, "response_id", "response", examples["response_id"].to_list())
    return [
        {**row, "question": withheld, "response": withheld}
        if (withheld := _withheld(row))
        else {**row, "question": questions.get(row["question_id"]), "response": texts.get(row["response_id"])}
        for row in examples.to_dicts()
    ]


def _withheld(row: dict[str, list[str]]) -> str | None:
    found = [screen for screen in WITHHELD if screen in row["screens"]]
    return f"not shown: {' and '.join(found)}" if found else None


def _texts(table: pl.LazyFrame, key: str, text: str, wanted: list[str]) -> dict[str, str]:
    """Texts of a few rows by key; of several texts for a key, as of a question in several shards, the smallest."""
    rows = table.filter(pl.col(key).is_in(wanted)).select(key, text).collect().sort(key, text)
    return dict(rows.unique(key, keep="first", maintain_order=True).rows())
