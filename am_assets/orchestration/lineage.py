"""Column lineage: the upstream columns that each column of each table is computed from.

By default a column comes from the columns of the same name in the tables that its asset reads. `COMPUTED` lists the
exceptions by asset and columns. A column without either (a shard's name, the judge model) has no lineage.

    >>> lineage("question_embeddings", ["raw_pool"])["vector"]
    [('raw_pool', 'question')]
"""

from collections.abc import Iterable

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.orchestration.schemas import TABLES
from am_assets.verification.jobs import AGAINST
from am_assets.verification.verifiers import VERIFIERS

_DIMENSIONS = " ".join(REWARD_DIMENSIONS)
_VERDICTS = " ".join(f"{one.table}.{name}" for one in VERIFIERS.values() for name in ("verdict", *one.decides_on))
_REASONS = " ".join(f"{one.table}.reason" for one in VERIFIERS.values())
_RULES = f"verification_policy.value teacher_policy.value {_VERDICTS}"
_AGREED = "answer_consensus.result answer_consensus.equal_to answer_consensus.answers"
_REWARDS = " ".join(f"reward_scores.{name}" for name in REWARD_DIMENSIONS)
_SENT = "teacher_requests.messages teacher_requests.sampling"
_WEIGHTS = "sft_dataset.content training_policy.value"
_FORM = " ".join(
    f"response_features.{name}"
    for name in (
        "template", "well_formed", "truncated", "think_chars", "repetition", "consecutive", "prompt_share",
        "answer_language",
    )
)  # fmt: skip
_JUDGED = "benchmark_responses.response " + " ".join(
    f"benchmark_questions.{name}" for name in ("reference_answer", "options", "test_cases", "constraints", "limits")
)

COMPUTED: dict[str, dict[str, str]] = {
    "question_features": {
        "chars words ascii_share language complete has_url has_image has_table": "raw_pool.question",
        "license": "raw_pool.license",
        "has_check": "raw_pool.reference_answer raw_pool.test_cases raw_pool.constraints",
        "verifiers": " ".join(f"raw_pool.{name}" for name in AGAINST),
    },
    "question_labels": {"category difficulty label_raw": "raw_pool.question"},
    "question_embeddings": {"vector": "raw_pool.question"},
    "similar_pairs": {"other_id": "question_embeddings.question_id", "cosine": "question_embeddings.vector"},
    "benchmark_overlap": {
        "cosine": "question_embeddings.vector benchmark_questions.question",
        "same_numbers same_text same_template ngram_8 ngram_13 wording same same_swapped": (
            "raw_pool.question benchmark_questions.question"
        ),
        "text_item ngram_8_item ngram_13_item wording_item": "benchmark_questions.item_id",
    },
    "benchmark_hits": {
        "item_id": "benchmark_questions.item_id",
        "measure value": "raw_pool.question benchmark_questions.question question_embeddings.vector",
    },
    "deduped_set": {
        "kept drop_reason decided_by": (
            "raw_pool.defect similar_pairs.cosine question_features.has_check question_features.published"
            " question_features.complete question_features.language question_features.license"
            " question_labels.difficulty dedup_policy.value"
        ),
        "representative": "similar_pairs.question_id similar_pairs.other_id",
        "detail": "raw_pool.defect",
    },
    "selected_questions": {
        "kept drop_reason detail decided_by": (
            "deduped_set.kept benchmark_overlap.cosine benchmark_overlap.wording benchmark_overlap.ngram_8"
            " benchmark_overlap.ngram_13 benchmark_overlap.same_text question_features.language"
            " question_features.complete question_features.has_url question_features.has_image"
            " question_features.has_table question_labels.category question_labels.difficulty sampling_policy.value"
        ),
        "teacher": "teacher_policy.value",
        "samples": "teacher_policy.value question_features.published question_features.verifiers",
    },
    "teacher_requests": {
        "request_key after": "raw_pool.question selected_questions.samples teacher_policy.value",
        "messages": "raw_pool.question raw_pool.reference_answer raw_pool.test_cases teacher_policy.value",
        "teacher sampling": "teacher_policy.value",
        "sample_index": "selected_questions.samples",
        "recipes": "selected_questions.kept",
    },
    "responses": {
        "response_id": "teacher_requests.request_key raw_pool.published",
        "teacher": "teacher_requests.teacher raw_pool.published",
        "origin": "raw_pool.published",
        "response": f"{_SENT} raw_pool.published",
        "finish_reason": f"{_SENT} raw_pool.published",
        "prompt_tokens completion_tokens cost": _SENT,
    },
    "response_features": {
        "answer template well_formed think_chars answer_chars repetition consecutive think_language"
        " answer_language": "responses.response",
        "truncated": "responses.finish_reason",
        "prompt_share": "responses.response raw_pool.question",
    },
    **{verifier.table: {**verifier.lineage} for verifier in VERIFIERS.values()},
    "response_screens": {
        "screens findings": (
            "responses.response raw_pool.question raw_pool.test_cases"
        ),
    },
    "reward_scores": {f"{_DIMENSIONS} judge_raw": "response_features.answer raw_pool.question"},
    "answer_consensus": {
        "result equal_to answers agreeing share leading": "response_features.answer raw_pool.test_cases",
    },
    "verified_set": {
        "teacher": "responses.teacher",
        "evidence": f"question_features.verifiers {_VERDICTS} verification_policy.value",
        "verdict second_verdict": f"{_VERDICTS} {_REWARDS} {_AGREED} verification_policy.value",
        "passed pass_rate": f"{_VERDICTS} verification_policy.value",
        "reference_doubtful repaired_reference": f"math_verdicts.verdict {_AGREED} verification_policy.value",
        "repetitive": "response_features.repetition response_features.consecutive verification_policy.value",
        "kept drop_reason decided_by": (
            f"{_RULES} {_REWARDS} {_AGREED} {_FORM} responses.finish_reason response_screens.screens"
        ),
        "detail": f"{_REASONS} {_REWARDS} {_AGREED} {_FORM} response_screens.findings",
        "reward": f"{_REWARDS} verification_policy.value",
    },
    "sft_dataset": {
        "check": "raw_pool.test_cases raw_pool.reference_answer verified_set.repaired_reference",
        "question_chars": "raw_pool.question",
        "chars content": (
            "responses.response raw_pool.question raw_pool.test_cases raw_pool.reference_answer raw_pool.extra"
            " verified_set.repaired_reference"
        ),
    },
    "preference_dataset": {
        "chosen_id rejected_id": (
            "verified_set.response_id verified_set.kept verified_set.drop_reason preference_policy.value"
        ),
        "prompt": "raw_pool.question",
        "chosen rejected": "responses.response",
        "chosen_teacher rejected_teacher": "verified_set.teacher",
        "chosen_verdict rejected_verdict": "verified_set.verdict",
        "rejected_because": "verified_set.drop_reason",
        "chosen_reward rejected_reward reward_gap": "verified_set.reward",
    },
    "rl_dataset": {
        "question_id": "selected_questions.question_id selected_questions.kept rl_policy.value",
        "prompt": "raw_pool.question",
        "attempts passes": "verified_set.passed",
        "reference_answer replaced_reference": "raw_pool.reference_answer verified_set.repaired_reference",
        "teachers": "verified_set.teacher",
    },
    "sft_checkpoint": {
        "student": "training_policy.value",
        "path sha256 steps tokens first_loss last_loss": _WEIGHTS,
        "rows": "sft_dataset.response_id",
    },
    "training_log": {"step loss learning_rate gradient_norm": "sft_checkpoint.path"},
    "benchmark_responses": {
        "student": "",  # untrained or trained; the upstream column of that name is a model name
        "sample_index": "evaluation_policy.value",
        "response finish_reason completion_tokens": (
            "sft_checkpoint.sha256 benchmark_questions.question benchmark_questions.options"
            " benchmark_questions.starter benchmark_questions.prompt evaluation_policy.value"
        ),
    },
    "benchmark_verdicts": {"verdict reason": _JUDGED, "well_formed": "benchmark_responses.response"},
    "benchmark_consensus": {
        "result equal_to": "benchmark_responses.response",
    },
    "touched_items": {
        "item_id measure value": "benchmark_hits.item_id benchmark_hits.measure benchmark_hits.value",
        "question_id": "benchmark_hits.question_id sft_dataset.question_id",
    },
    "eval_scores": {
        "items": "touched_items.item_id touched_items.value evaluation_policy.value",
        "questions differing": "benchmark_verdicts.item_id",
        "samples": "benchmark_verdicts.sample_index",
        "metric value ci_low ci_high": (
            "benchmark_verdicts.verdict benchmark_verdicts.well_formed benchmark_consensus.equal_to"
            " benchmark_responses.finish_reason benchmark_responses.completion_tokens"
        ),
        "p detectable needed": "benchmark_verdicts.verdict",
    },
    "question_scores": {
        "benchmark": "benchmark_responses.item_id",
        "samples": "benchmark_responses.sample_index",
        "score": "benchmark_verdicts.verdict",
        "touched": "touched_items.item_id touched_items.value evaluation_policy.value",
    },
    "experiment_report": {
        "value": (
            "sft_dataset.response_id sft_dataset.category sft_dataset.difficulty verified_set.response_id"
            " responses.completion_tokens responses.cost sft_checkpoint.rows sft_checkpoint.steps sft_checkpoint.tokens"
            " question_scores.score"
        ),
        "ci_low ci_high questions p detectable needed said": "question_scores.score",
        "items": "question_scores.touched",
    },
    "recipe_report": {
        "outcome rows": (
            "deduped_set.copies deduped_set.drop_reason selected_questions.drop_reason verified_set.drop_reason"
            " sft_dataset.response_id"
        ),
    },
}  # fmt: skip


def lineage(asset: str, upstream: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """The (table, column) pairs that each column of `asset` comes from; `upstream` are the tables that it reads."""
    computed = {
        column: [_place(place) for place in places.split()]
        for columns, places in COMPUTED.get(asset, {}).items()
        for column in columns.split()
    }
    tables = [name for name in upstream if name in TABLES]
    return {
        column: computed[column]
        if column in computed
        else [(name, column) for name in tables if column in TABLES[name].column_names()]
        for column in TABLES[asset].column_names()
    }


def _place(name: str) -> tuple[str, str]:
    table, _, column = name.partition(".")
    return table, column
