"""Asking teachers in rounds: what is due, then what became due by the answers to that, until nothing does.

`datasets/due.py` says what is due. A round ends when all its requests are answered, so that the last of it are waited
for; a recipe without further tries and with a number of `samples` has one round. Only where requests wait for a verdict
are answers verified here, by the verifiers of the verdict assets, on the same text and under the same memo keys: below,
each verdict is in the memo already. Such a run counts in the teacher's pool alone, also while it runs code. Nothing is
kept between rounds but the memo, so that a run that was killed, or that reached its budget, goes through the same
rounds again and asks only what is missing.
"""

import polars as pl

from am_assets.datasets.due import ANSWERED, due, verified
from am_assets.datasets.exclusions import without
from am_assets.datasets.published import response_ids
from am_assets.distillation import parts
from am_assets.orchestration.declarations import Declared
from am_assets.orchestration.resources import Answers, combine
from am_assets.storage.memo import FillResult
from am_assets.verification import jobs, passing
from am_assets.verification.verifiers import VERIFIERS
from am_assets.verification.verifiers.base import fill

RESPONSES = "responses"  # the namespace of answers


def in_rounds(
    requests: pl.DataFrame, raw_pool: pl.DataFrame, here: Declared, answers: Answers
) -> tuple[FillResult, pl.DataFrame, int]:
    """The answers to those of `requests` (TeacherRequests) that are due, what is due for recipes that this run is not
    for and was left out (key, recipes), and the number of answers of which another run may tell whether they pass."""
    keyed = requests.with_columns(key="request_key", model="teacher").unique("key", keep="first", maintain_order=True)
    checked = raw_pool.join(verified(requests), on="question_id", how="semi")
    answered, filled, unreached = pl.DataFrame(schema=ANSWERED), None, 0
    while True:
        now, left_out = answers.split(RESPONSES, due(requests, answered).with_columns(key="request_key"))
        if filled is not None and now.height == filled.table.height:
            return filled, left_out, unreached
        asked = keyed.join(now, on="key", how="semi", maintain_order="left")
        more = answers.get(RESPONSES, asked)
        filled = more if filled is None else combine(filled, more)
        new = filled.table.join(answered, on="request_key", how="anti", maintain_order="left")
        told, untold = _verify(as_responses(new), checked, here, answers)
        answered, unreached = pl.concat([answered, told]), unreached + untold


def as_responses(answers: pl.DataFrame) -> pl.DataFrame:
    """Answers as rows of Responses, without their ids."""
    return answers.select(
        "request_key", "question_id", "teacher", "sample_index", "finish_reason", "prompt_tokens",
        "completion_tokens", "cost", response=parts.full_response("reasoning", "text"), origin=pl.lit("distilled"),
    )  # fmt: skip


def _verify(
    responses: pl.DataFrame, checked: pl.DataFrame, here: Declared, answers: Answers
) -> tuple[pl.DataFrame, int]:
    """ANSWERED of `responses`, and of how many another run may tell whether they pass. Only those to the questions
    `checked` (RawPool) are verified."""
    others = responses.join(checked, on="question_id", how="anti", maintain_order="left")
    told = others.select("request_key", truncated=pl.col("finish_reason") == "length", passed=pl.lit(None, pl.Boolean))
    ours = responses.join(checked, on="question_id", how="semi", maintain_order="left")
    if not ours.height:
        return told, 0
    kept = without(ours, here.exclusions)
    read = parts.split(kept.with_columns(response_ids(kept)))
    rows = jobs.answers_with_checks(read, checked)
    verdicts = {}
    unreached = 0
    for name, verifier in VERIFIERS.items():
        limits = here.limits_of(verifier)
        made = fill(verifier, jobs.jobs(verifier, rows, limits), limits, answers.fill)
        verdicts[name] = made.table
        unreached += made.unreached
    return pl.concat([told, passing.answered(read, verdicts)]), unreached
