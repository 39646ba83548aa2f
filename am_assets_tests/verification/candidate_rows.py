"""Candidate responses, and what is decided on them, as test modules share them."""

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import OUTCOMES, PARTS, REWARD_DIMENSIONS, SCREENS, TEMPLATES, VERDICTS
from am_assets.storage.schemas import VerifiedSet
from am_assets.verification.decide import verified_set

SOUND = {
    "response_id": "r", "question_id": "q", "shard": "s", "source": "s", "category": "math", "difficulty": "easy",
    "teacher": "t", "origin": "distilled", "sample_index": 0, "finish_reason": "stop",
    "has_reference": True, "has_tests": False,
    "has_constraints": False, "instruction_verdict": None, "instruction_reason": None,
    "template": "paper", "well_formed": True, "truncated": False, "think_chars": 80,
    "repetition": 0.0, "consecutive": 0.0,
    "prompt_share": 0.0, "answer_language": "en", "response_chars": 100, "math_verdict": "pass",
    "math_reason": "equal", "judged_equal": None, "code_verdict": None, "code_reason": None,
    "consensus_answers": None, "result": None, "equal_to": None,
    "outcomes": None, "screens": None, "findings": None, **dict.fromkeys(REWARD_DIMENSIONS),
}  # fmt: skip
TYPES = {
    "consensus_answers": pl.UInt32,
    "sample_index": pl.UInt16, "has_reference": pl.Boolean, "has_tests": pl.Boolean, "has_constraints": pl.Boolean,
    "instruction_verdict": pl.Enum(VERDICTS), "well_formed": pl.Boolean,
    "truncated": pl.Boolean, "think_chars": pl.UInt32, "repetition": pl.Float32, "consecutive": pl.Float32,
    "prompt_share": pl.Float32,
    "template": pl.Enum(TEMPLATES), "response_chars": pl.UInt32, "judged_equal": pl.Boolean,
    "math_verdict": pl.Enum(VERDICTS), "code_verdict": pl.Enum(VERDICTS), "outcomes": pl.List(pl.Enum(OUTCOMES)),
    "screens": pl.List(pl.Enum(SCREENS)),
    "findings": pl.List(pl.Struct({"screen": pl.Enum(SCREENS), "part": pl.Enum(PARTS), "shown": pl.String})),
    **dict.fromkeys(REWARD_DIMENSIONS, pl.Float32),
}  # fmt: skip


OF_VERIFIERS = {
    "judged_equal": "math_judged_equal", "outcomes": "code_outcomes",
    "instruction_verdict": "instructions_verdict", "instruction_reason": "instructions_reason",
}  # fmt: skip


def frame(rows: list[dict]) -> pl.DataFrame:
    numbered = [SOUND | {"response_id": f"r{i}"} | row for i, row in enumerate(rows)]
    table = pl.DataFrame(numbered, schema={name: TYPES.get(name, pl.String) for name in SOUND})
    applies = {
        "code": pl.col("has_tests"),
        "math": pl.col("has_reference") & ~pl.col("has_tests"),
        "instructions": pl.col("has_constraints"),
    }
    names = pl.concat_list(pl.when(holds).then(pl.lit(name)) for name, holds in applies.items()).list.drop_nulls()
    return (
        table.with_columns(verifiers=names).drop("has_reference", "has_tests", "has_constraints").rename(OF_VERIFIERS)
    )


def found(*findings: tuple[str, str, str]) -> dict:
    """What screens found: (screen, part, shown) of each."""
    named = [dict(zip(("screen", "part", "shown"), finding, strict=True)) for finding in findings]
    return {"screens": [*dict.fromkeys(screen for screen, *_ in findings)], "findings": named}


def decide(*rows: dict, **policy) -> list[dict]:
    return VerifiedSet.validate(verified_set(frame(list(rows)), VerificationPolicy(**policy))).to_dicts()


def rewarded(score: int | None, **more) -> dict:
    return {
        "has_reference": False,
        "math_verdict": None,
        "math_reason": None,
        **dict.fromkeys(REWARD_DIMENSIONS, score),
    } | more
