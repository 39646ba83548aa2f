"""Asking teachers in rounds: what is due, then what became due by the answers to that, until nothing does.

`datasets/due.py` says what is due. A round ends when all its requests are answered, so that the last of it are waited
for; a recipe without further tries and with a number of `samples` has one round. Only where requests wait for a verdict
are answers verified here, by the verifiers of the verdict assets, on the same text and under the same memo keys: below,
each verdict is in the memo already. Such a run counts in the teacher's pool alone, also while it runs code. Nothing is
kept between rounds but the memo, so that a run that was killed, or that reached its budget, goes through the same
rounds again and asks only what is missing.
"""

from collections.abc import Iterator

import polars as pl

from am_assets.datasets.due import ANSWERED, due, verified
from am_assets.datasets.exclusions import without
from am_assets.datasets.published import response_ids
from am_assets.distillation import parts
from am_assets.engines.llm import ANSWER
from am_assets.orchestration.declarations import Declared
from am_assets.orchestration.resources import Answers, combine
from am_assets.storage.memo import FillResult
from am_assets.storage.streams import groups
from am_assets.verification import jobs, passing
from am_assets.verification.verifiers import VERIFIERS
from am_assets.verification.verifiers.base import JOBS_BYTES, JOBS_ROWS, fill

RESPONSES = "responses"  # the namespace of answers
SENT = ["messages", "sampling"]  # held for requests that are sent, and for no others
TEXTS = pl.Schema({name: ANSWER[name] for name in ("key", "text", "reasoning")})
READ = pl.Schema(
    {name: ANSWER[name] for name in ("key", "finish_reason", "prompt_tokens", "completion_tokens", "cost")}
)


def in_rounds(
    teacher_requests: pl.LazyFrame, raw_pool: pl.LazyFrame, here: Declared, answers: Answers
) -> tuple[FillResult, pl.DataFrame, int]:
    """The answers, without their texts, to those of `teacher_requests` that are due; what is due for recipes that this
    run is not for and was left out (key, recipes); and the number of answers of which another run may tell whether they
    pass."""
    requests = teacher_requests.drop(SENT).collect()
    narrow = requests.select("question_id", "teacher", "sample_index", key="request_key")
    keyed = narrow.unique("key", keep="first", maintain_order=True)
    checked = raw_pool.drop("published").join(verified(requests).lazy(), on="question_id", how="semi").collect()

    def complete(missing: pl.DataFrame) -> pl.DataFrame:
        sent = teacher_requests.select(*SENT, key="request_key").join(missing.lazy(), on="key", how="semi")
        texts = sent.unique("key").collect()
        return missing.with_columns(model="teacher").join(texts, on="key", how="left", maintain_order="left")

    answered, filled, unreached = pl.DataFrame(schema=ANSWERED), None, 0
    while True:
        now, left_out = answers.split(RESPONSES, due(requests, answered).with_columns(key="request_key"))
        if filled is not None and now.height == filled.table.height:
            return filled, left_out, unreached
        asked = keyed.join(now, on="key", how="semi", maintain_order="left")
        more = answers.ask(RESPONSES, asked, complete, READ)
        filled = more if filled is None else combine(filled, more)
        new = filled.table.join(answered, left_on="key", right_on="request_key", how="anti", maintain_order="left")
        told, untold = _verify(new, checked, here, answers)
        answered, unreached = pl.concat([answered, told]), unreached + untold


def as_responses(answered: pl.DataFrame, answers: Answers) -> Iterator[pl.DataFrame]:
    """Answered requests as rows of Responses, without their ids, in frames as their texts are stored."""
    for found in answers.memo.batches(RESPONSES, answered, TEXTS):
        yield found.select(
            "question_id", "teacher", "sample_index", "finish_reason", "prompt_tokens", "completion_tokens", "cost",
            request_key="key", response=parts.full_response(found), origin=pl.lit("distilled"),
        )  # fmt: skip


def _verify(new: pl.DataFrame, checked: pl.DataFrame, here: Declared, answers: Answers) -> tuple[pl.DataFrame, int]:
    """ANSWERED of the answered requests `new`, and of how many another run may tell whether they pass. Only those to
    the questions `checked` (RawPool) are verified."""
    others = new.join(checked, on="question_id", how="anti", maintain_order="left")
    truncated = pl.col("finish_reason") == "length"
    told = [others.select(request_key="key", truncated=truncated, passed=pl.lit(None, pl.Boolean))]
    ours = new.join(checked, on="question_id", how="semi", maintain_order="left")
    unreached = 0
    for responses in groups(as_responses(ours, answers), JOBS_BYTES, JOBS_ROWS):
        kept = without(responses, here.exclusions)
        read = parts.split(kept.with_columns(response_ids(kept)))
        rows = jobs.answers_with_checks(read, checked)
        verdicts = {}
        for name, verifier in VERIFIERS.items():
            limits = here.limits_of(verifier)
            made = fill(verifier, jobs.jobs(verifier, rows, limits), limits, answers.fill)
            verdicts[name] = made.table
            unreached += made.unreached
        told.append(passing.answered(read, verdicts))
    return pl.concat(told), unreached
