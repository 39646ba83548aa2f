r"""Which answers to a question state the same result: classes of equal results, measured by the verifier of math.

A response states a result where that verifier finds exactly one in its answer (a box, a statement, a bare formula), the
answer passes against this very result (so it is not taken back, quoted or hedged), and the result is mathematics or an
option's letter. Words are none: nothing tells whether two wordings mean the same. Two results are equal where the
verifier passes each as the answer to the other, as a reference without a unit accepts any. Everything here holds for
all answers of a shard; which of them count for a recipe, and whether they suffice, is decided in `agreement.py`.
"""

from collections.abc import Callable

import polars as pl

from am_assets.datasets.checks import HAS_TESTS
from am_assets.storage.schemas import AnswerConsensus
from am_assets.verification.mathematics.boxes import boxed
from am_assets.verification.mathematics.extraction import results
from am_assets.verification.mathematics.markup import plain_text
from am_assets.verification.mathematics.normalization import is_text, normalize, words
from am_assets.verification.verifiers.math import settle

VERSION = "1"  # raise when answers may fall into other classes
AT_ONCE = 16_384  # answers that are held
MOST_CHARS = 500  # of a result that is compared
MOST_WORDS = 1  # of a result outside of a box: "12 apples", and no half sentence
# By (question_id, answer, reference, response_id: a list of the responses that state the answer's result), whether the
# verifier passes it.
Equal = Callable[[pl.DataFrame], pl.Series]


def result_of(answer: str) -> str | None:
    r"""The one result that an answer states, if mathematics can compare it.

    >>> result_of(r"So we get \boxed{12}."), result_of("The answer is that leaves turn yellow.")
    ('12', None)
    """
    answer = plain_text(answer)
    found = results(answer)
    if len(found) != 1 or len(found[0]) > MOST_CHARS or is_text(found[0]):
        return None
    if words(found[0]) > MOST_WORDS and not boxed(answer)[0]:
        return None
    asserted = settle(found, answer, found[0])
    return found[0] if asserted and asserted[0] == "pass" else None


def answers_to_compare(features: pl.LazyFrame, pool: pl.LazyFrame) -> pl.DataFrame:
    """(response_id, question_id, result) of the answers to questions of RawPool without tests that have several."""
    without_tests = pool.filter(~HAS_TESTS).select("question_id")
    answered = features.filter(pl.col("answer").str.strip_chars().str.len_chars() > 0).select(
        "response_id", "question_id"
    )
    ours = answered.join(without_tests, on="question_id", how="semi", maintain_order="left")
    several = ours.filter(pl.len().over("question_id") > 1).collect()
    told = [several.clear().with_columns(result=pl.lit(None, pl.String))]
    for some in several.iter_slices(AT_ONCE):
        texts = features.select("response_id", "answer").join(some.lazy(), on="response_id", how="semi").collect()
        answers = some.join(texts, on="response_id", how="left", maintain_order="left")["answer"]
        told.append(some.with_columns(pl.Series("result", map(result_of, answers), dtype=pl.String)))
    return pl.concat(told)


def consensus(told: pl.DataFrame, equal: Equal) -> pl.DataFrame:
    """AnswerConsensus of `told` (response_id, question_id, result), sorted by response_id."""
    spelled = told.with_columns(text=_texts(told["result"]))
    joined = spelled.join(_classes(spelled.drop_nulls("result"), equal), on=["question_id", "text"], how="left")
    table = counted(joined.with_columns(compared=pl.lit(True)))
    return table.select(AnswerConsensus.column_names()).sort("response_id")


def counted(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (question_id, equal_to, compared) with `answers`, those of the question that are compared; `agreeing`,
    those in the same class; `most`, the size of the largest; the `share` of the class; and whether it is `leading`, the
    only largest one: of two that are as large, none is."""
    compared = rows.filter("compared")  # few of many rows: groups are made of these alone
    classes = compared.drop_nulls("equal_to").group_by("question_id", "equal_to").agg(agreeing=pl.len())
    largest = classes.group_by("question_id").agg(
        most=pl.col("agreeing").max(), leaders=(pl.col("agreeing") == pl.col("agreeing").max()).sum()
    )
    answers = compared.group_by("question_id").agg(answers=pl.len()).join(largest, on="question_id", how="left")
    at = ["question_id", "equal_to"]
    of_class = pl.col("compared") & pl.col("equal_to").is_not_null()
    return (
        rows.join(answers, on="question_id", how="left", maintain_order="left")
        .join(classes, on=at, how="left", maintain_order="left")
        .with_columns(pl.when(of_class).then("agreeing").fill_null(0).alias("agreeing"), pl.col("answers").fill_null(0))
        .with_columns(
            share=pl.when(pl.col("answers") > 0).then(pl.col("agreeing") / pl.col("answers")).otherwise(0.0),
            leading=(of_class & (pl.col("agreeing") == pl.col("most")) & (pl.col("leaders") == 1)).fill_null(False),
        )
        .with_columns(pl.col("most").fill_null(0))
        .drop("leaders")
    )


def _texts(told: pl.Series) -> pl.Series:
    return pl.Series("text", [result and normalize(result) for result in told], dtype=pl.String)


def _classes(spelled: pl.DataFrame, equal: Equal) -> pl.DataFrame:
    """(question_id, text, equal_to): for each result the plainest one (the shortest, of these the first in the order of
    characters) that it equals. A result is compared with the plainest of those left, then with the next."""
    plainest: list[str | pl.Expr] = ["question_id", pl.col("result").str.len_chars(), "result"]
    distinct = spelled.sort([*plainest, "response_id"]).group_by("question_id", "text", maintain_order=True)
    left = distinct.agg(pl.first("result"), owners="response_id")
    found = [pl.DataFrame(schema={name: pl.String for name in ("question_id", "text", "equal_to")})]
    while left.height:
        left = left.sort(plainest)
        first = left.unique("question_id", keep="first", maintain_order=True)
        named = first.rename({"text": "its", "result": "equal_to", "owners": "its_owners"})
        paired = left.join(named, on="question_id")
        same = paired.filter(pl.col("text") == pl.col("its"))
        other = paired.filter(pl.col("text") != pl.col("its"))
        equals = pl.concat([same, _equal_both_ways(other, equal)]).select("question_id", "text", "equal_to")
        found.append(equals)
        left = left.join(equals, on=["question_id", "text"], how="anti")
    return pl.concat(found)


def _equal_both_ways(pairs: pl.DataFrame, equal: Equal) -> pl.DataFrame:
    """Those of the pairs of `result` and `equal_to` of which each passes as the answer to the other."""
    sides = (("result", "equal_to", "owners"), ("equal_to", "result", "its_owners"))
    for answer, reference, owners in sides:
        if pairs.height:
            boxed_answer = pl.concat_str(pl.lit("\\boxed{"), answer, pl.lit("}"))
            asked = pairs.select("question_id", answer=boxed_answer, reference=reference, response_id=owners)
            pairs = pairs.filter(equal(asked))
    return pairs
