"""Tables of the verification stage: verdicts and reward scores by shard, and what each recipe accepts."""

import dataframely as dy

from am_assets.config.vocabulary import OUTCOMES, RESPONSE_DROPS, VERDICTS


class MathVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()
    extracted = dy.String(nullable=True, description="the answer as parsed")
    reference = dy.String()
    # A language model's opinion of the same answer; null: not asked, or (judged_equal alone) not parseable.
    judge = dy.String(nullable=True)
    judged_equal = dy.Bool(nullable=True)
    judge_raw = dy.String(nullable=True)


class CodeVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS, description="over all tests; a recipe may count only some of them")
    reason = dy.String()
    outcomes = dy.List(dy.Enum(OUTCOMES), description="of each test, in order; empty where none ran")
    detail = dy.String(description="last lines of the first error, for a person")
    sandbox = dy.String(description="docker, bubblewrap or none")


class InstructionVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()
    outcomes = dy.List(
        dy.Struct({"constraint": dy.String(), "holds": dy.Bool(nullable=True)}),
        description="holds is null where it could not be determined; empty where no constraint was checked",
    )


class RewardScores(dy.Schema):
    """Scores of the answer part, 0 to 4 per dimension.

    Null where a judge's reply could not be parsed, or the text exceeds a reward model's context.
    """

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    judge = dy.String()
    correctness = dy.Float32(nullable=True)
    helpfulness = dy.Float32(nullable=True)
    coherence = dy.Float32(nullable=True)
    complexity = dy.Float32(nullable=True)
    verbosity = dy.Float32(nullable=True)
    judge_raw = dy.String(description="the judge's reply unparsed, or the reward model's outputs as JSON, not clipped")


class VerifiedSet(dy.Schema):
    """Every candidate response of a recipe, kept or dropped by its verification policy; by shard and response_id."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    shard = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    teacher = dy.String()
    origin = dy.String()
    evidence = dy.Enum(["math", "code", "instructions", "reward"], description="the kind of check that decides")
    verdict = dy.Enum(VERDICTS, description="of that check, before other rules")
    second_verdict = dy.Enum(
        VERDICTS, nullable=True, description="of the other kind (judge or verifier), where measured"
    )
    repetitive = dy.Bool(description="under this recipe, even where an earlier rule dropped the row")
    kept = dy.Bool()
    drop_reason = dy.Enum(RESPONSE_DROPS, nullable=True)
    detail = dy.String(nullable=True)
    decided_by = dy.String(nullable=True, description="the field of the recipe that dropped it; null for none")
    reward = dy.Float32(nullable=True)
