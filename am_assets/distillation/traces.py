"""What can be measured of a response without asking anyone: its parts, its repetition, its end, its language.

Measurements only; which of them costs a response its place is `verification/decide.py`'s to say, and whether the
answer is right is the verifiers'.
"""

import polars as pl

from am_assets.engines.language import languages

VERSION = "1"  # raise when a measurement here changes its meaning

NGRAM = 8  # words
SLICE = 512  # responses held as exploded words at once
TOKEN = r"\S{1,16}"  # a word; longer ones come in pieces, so that text without spaces can repeat itself too


def response_features(responses: pl.DataFrame) -> pl.DataFrame:
    """ResponseFeatures of `responses` (response_id, question_id, response, finish_reason), sorted by response_id.

    The template is the paper's `<think>…</think> <answer>…</answer>`, or the plain `<think>…</think> answer` of
    R1-style traces. Tags that are nested, doubled or unclosed leave `think` and `answer` null: which text belongs to
    which part can't be told. Text around the parts keeps them readable but makes the response ill-formed.
    Lengths are characters, 0 for a part that is null.
    """
    split = _split(responses.sort("response_id"))
    text = pl.when(pl.col("answer").is_null()).then("response").otherwise(pl.concat_str("think", pl.lit(" "), "answer"))
    read = split.with_columns(
        text.alias("text"),
        truncated=(pl.col("finish_reason") == "length"),
        think_chars=pl.col("think").str.len_chars().fill_null(0).cast(pl.UInt32),
        answer_chars=pl.col("answer").str.len_chars().fill_null(0).cast(pl.UInt32),
    )
    measured = [part.with_columns(repetition(part["text"]).alias("repetition")) for part in read.iter_slices(SLICE)]
    return pl.concat(measured or [read.with_columns(repetition=pl.lit(0.0, pl.Float32))]).select(
        "response_id",
        "question_id",
        "think",
        "answer",
        "well_formed",
        "truncated",
        "think_chars",
        "answer_chars",
        "repetition",
        pl.coalesce("answer", "response").map_batches(languages, return_dtype=pl.String).alias("language"),
    )


def whole(reasoning: str, text: str) -> pl.Expr:
    """The response as one text: a provider's separate reasoning becomes the think part before it."""
    apart = pl.format("<think>{}</think>{}", reasoning, text)
    return pl.when(pl.col(reasoning).is_null()).then(text).otherwise(apart)


def _split(responses: pl.DataFrame) -> pl.DataFrame:
    """`responses` with think, answer and well_formed. Cuts at literal tags: a regex takes ten times as long."""
    response = pl.col("response")
    tags = [response.str.count_matches(tag, literal=True) for tag in ("<think>", "</think>", "<answer>", "</answer>")]
    doubled = pl.any_horizontal(count > 1 for count in tags)
    untagged = pl.all_horizontal(count == 0 for count in tags[2:])
    head, rest = _cut(response, "</think>")
    lead, think = _cut(head, "<think>")
    between, tagged = _cut(rest, "<answer>")
    inner, tail = _cut(tagged, "</answer>")
    told = ~doubled & think.is_not_null() & pl.when(untagged).then(rest.is_not_null()).otherwise(tail.is_not_null())
    answer = pl.when(untagged).then(rest).otherwise(inner).str.strip_chars()
    around = pl.concat_str(lead, pl.when(~untagged).then(between), tail, ignore_nulls=True).str.strip_chars()
    return responses.with_columns(
        pl.when(told).then(think.str.strip_chars()).alias("think"),
        pl.when(told).then(answer).alias("answer"),
        (told & (answer != "") & (around == "")).fill_null(False).alias("well_formed"),
    )


def _cut(text: pl.Expr, tag: str) -> tuple[pl.Expr, pl.Expr]:
    """What stands before and after the first `tag`; null after where there is none."""
    parts = text.str.splitn(tag, 2).struct
    return parts["field_0"], parts["field_1"]


def repetition(texts: pl.Series) -> pl.Series:
    """Share of each text's word 8-grams that occurred earlier in it, or of its words that equal the word before if
    that is more (so that loops shorter than an 8-gram show too): Float32, 0 to 1."""
    words = (
        pl.LazyFrame({"text": texts})
        .with_row_index("row")
        .select("row", word=pl.col("text").str.to_lowercase().str.extract_all(TOKEN))
        .explode("word", empty_as_null=True)
        .with_columns(pl.col("word").hash())
    )
    follows = pl.col("row") == pl.col("row").shift(1)
    inside = pl.col("row") == pl.col("row").shift(1 - NGRAM)
    ngram = pl.struct(pl.col("word").shift(-i).alias(str(i)) for i in range(NGRAM))
    share = (
        words.with_columns(
            echo=(follows & (pl.col("word") == pl.col("word").shift(1))).fill_null(False),  # the first row follows none
            ngram=pl.when(inside).then(ngram.hash()),
        )
        .group_by("row", maintain_order=True)
        .agg(
            consecutive=pl.col("echo").mean(),
            repeated=1 - pl.col("ngram").drop_nulls().n_unique() / pl.col("ngram").count(),
        )
        .select(pl.max_horizontal("consecutive", pl.col("repeated").fill_nan(0)).fill_null(0).cast(pl.Float32))
    )
    return share.collect().to_series()
