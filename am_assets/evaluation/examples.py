"""Rows to look at: a sample of the released ones, and one of those that went for each reason.

Which rows these are is settled by their ids alone. Ids are hashes, so their last digits are a draw that nobody chose.
"""

import polars as pl

SAMPLED = 20
DRAWN = 13  # digits

Rows = list[dict[str, str | None]]


def sampled(rows: pl.DataFrame) -> list[str]:
    """The response ids of the sample, in the order they are shown."""
    return rows.select("response_id").sort(_draw("response_id"), "response_id")["response_id"].head(SAMPLED).to_list()


def one_of_each(dropped: pl.DataFrame, key: str) -> pl.DataFrame:
    """For each drop reason, in the order the rules are asked, the row of the lowest draw."""
    first = dropped.drop_nulls("drop_reason").sort("drop_reason", _draw(key), key, pl.all().exclude(key, "drop_reason"))
    return first.unique("drop_reason", keep="first", maintain_order=True)


def _draw(key: str) -> pl.Expr:
    return pl.col(key).str.slice(-DRAWN)


def kept_rows(ids: list[str], sft: pl.LazyFrame) -> Rows:
    """The released rows of these ids, in this order, with their texts."""
    rows = {row["response_id"]: row for row in sft.filter(pl.col("response_id").is_in(ids)).collect().to_dicts()}
    return [rows[key] for key in ids]


def dropped_questions(deduped: pl.DataFrame, selected: pl.DataFrame, pool: pl.LazyFrame) -> Rows:
    """One question for each reason: question_id, source, drop_reason, detail, question, instead (the text kept in its
    place)."""
    columns = ["question_id", "source", "drop_reason", "detail"]
    went = pl.concat(
        [
            one_of_each(deduped.select(*columns, "representative"), "question_id"),
            one_of_each(selected.select(*columns, representative=pl.lit(None, pl.String)), "question_id"),
        ]
    )
    texts = _texts(pool, "question_id", "question", [*went["question_id"], *went["representative"].drop_nulls()])
    return [
        {**row, "question": texts.get(row["question_id"]), "instead": texts.get(row["representative"])}
        for row in went.to_dicts()
    ]


def dropped_responses(verified: pl.DataFrame, responses: pl.LazyFrame, pool: pl.LazyFrame) -> Rows:
    """One response for each reason: the columns of VerifiedSet, question, response."""
    went = one_of_each(verified, "response_id")
    questions = _texts(pool, "question_id", "question", went["question_id"].to_list())
    texts = _texts(responses, "response_id", "response", went["response_id"].to_list())
    return [
        {**row, "question": questions.get(row["question_id"]), "response": texts.get(row["response_id"])}
        for row in went.to_dicts()
    ]


def _texts(table: pl.LazyFrame, key: str, text: str, wanted: list[str]) -> dict[str, str]:
    """By key, one text of each of a few rows; of a question that lies in several shards the smallest stands."""
    rows = table.filter(pl.col(key).is_in(wanted)).select(key, text).collect().sort(key, text)
    return dict(rows.unique(key, keep="first", maintain_order=True).rows())
