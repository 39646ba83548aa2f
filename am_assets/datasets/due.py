"""Which requests to teachers are due, from the answers so far: further tries, and samples until one passes.

A row of TeacherRequests with `after` waits for the answer to that request. At the same sample it is a further try, due
once that answer ended truncated. At a later sample it belongs to `samples: {most: 8, until: pass}`: it is due once
every earlier sample of its question, as its recipe asks them, is answered and none passed. All others are due at once.

So `teacher_requests` lists the most that may be asked, beforehand and without a verdict; `responses` asks what is due,
round by round; and a recipe's candidates are the answers to what is due for it alone: neither the samples that another
recipe asked beyond the first pass, nor those that were paid before an earlier answer passed under a better verifier.
A verdict that is about this machine (no sandbox) tells neither way, and nothing waits on it: `passed` is null.

Both the stage of distillation and that of verification read this; raise the VERSION of `distillation/prompts.py` and of
`verification/decide.py` when other requests become due.
"""

import polars as pl

ANSWERED = pl.Schema({"request_key": pl.String, "truncated": pl.Boolean, "passed": pl.Boolean})
READ = ["request_key", "after", "question_id", "sample_index", "recipes"]
QUESTION = ["recipes", "question_id"]
SAMPLE = [*QUESTION, "sample_index"]


def due(requests: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """The `requests` (READ and any others) whose answers count: request_key, and the `recipes` that they are due for.

    `answered` (ANSWERED) has a row for each answer; `passed` is null where no verdict tells. What is due stays due when
    more is answered.

    >>> due(requests, answered.clear())["request_key"]  # those to begin with
    """
    tries = _tries(requests, answered)
    if tries["waits"].any():
        undecided = pl.col("sample_index").filter(pl.col("passed").ne_missing(False)).min().over(QUESTION)
        reached = (pl.col("sample_index") <= undecided).fill_null(True)  # null: every sample so far fell short
        tries = tries.filter(~pl.col("waits").any().over(SAMPLE) | reached)
    return tries.group_by("request_key").agg(pl.col("recipes").unique().sort()).sort("request_key")


def likely(requests: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """How likely each of `requests` (READ and `pass_rate` of an answer) is to be due, further tries left out:
    request_key, `likely` (0 to 1), and whether it `waits` for a verdict for all of its recipes."""
    known = pl.col("passed").max().over(SAMPLE)
    short = pl.when(known).then(0.0).when(~known).then(1.0).otherwise(1 - pl.col("pass_rate"))
    samples = _tries(requests, answered).with_columns(short=short).filter(~pl.col("again")).sort(SAMPLE)
    reached = pl.col("short").cum_prod().shift(1, fill_value=1.0).over(QUESTION)
    samples = samples.with_columns(likely=pl.when("waits").then(reached).otherwise(1.0))
    return samples.group_by("request_key").agg(pl.max("likely"), pl.col("waits").all()).sort("request_key")


def verified(requests: pl.DataFrame) -> pl.DataFrame:
    """question_id of the questions that some of `requests` wait for a verdict on."""
    return _by_recipe(requests).filter("waits").select("question_id").unique()


def _tries(requests: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """`requests` by recipe with `truncated` and `passed` of their answers, without further tries that are not due."""
    cut = answered.filter("truncated").select(after="request_key", cut=pl.lit(True))
    joined = _by_recipe(requests).join(answered, on="request_key", how="left").join(cut, on="after", how="left")
    return joined.filter(~pl.col("again") | pl.col("cut"))


def _by_recipe(requests: pl.DataFrame) -> pl.DataFrame:
    """One row per request and recipe; `again`: a further try; `waits`: it is for a verdict on earlier samples."""
    earlier = requests.select(after="request_key", earlier="sample_index").unique("after")
    rates = [name for name in ("pass_rate",) if name in requests.columns]
    rows = requests.select(*READ, *rates).explode("recipes").join(earlier, on="after", how="left")
    waits = (pl.col("earlier") < pl.col("sample_index")).fill_null(False)
    return rows.with_columns(again=(pl.col("after") != "") & ~waits, waits=waits)
