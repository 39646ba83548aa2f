"""Tables of the verification stage: reward scores and screens by shard, and what each recipe accepts. Those of
verdicts are declared with their verifiers, in `verification/verifiers`."""

import dataframely as dy

from am_assets.config.vocabulary import PARTS, RESPONSE_DROPS, SCREENS, VERDICTS


class ResponseScreens(dy.Schema):
    """What each response and its question were screened for, and what was found. No key is stored, and little of an
    address or number."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    screens = dy.List(dy.Enum(SCREENS), description="those with a finding")
    findings = dy.List(
        dy.Struct({"screen": dy.Enum(SCREENS), "part": dy.Enum(PARTS), "shown": dy.String()}),
        description="the first of each screen in each part: the phrase, or what kind of key, address or number it is",
    )


class AnswerConsensus(dy.Schema):
    """Answers to questions without tests that have several answers in the shard, and how many of these, of whatever
    recipe, state the same result. A recipe counts its own candidates in the same way."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    result = dy.String(nullable=True, description="as the answer writes it; null where it states none to compare")
    equal_to = dy.String(nullable=True, description="the plainest of the results equal to it, which names its class")
    answers = dy.UInt32(description="of its question")
    agreeing = dy.UInt32(description="of them, those in its class, itself included; 0 without a result")
    share = dy.Float64(description="agreeing of answers, 0 to 1")
    leading = dy.Bool(description="no other class is as large")


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
    evidence = dy.String(description="what decides: the name of a verifier, consensus or reward")
    verdict = dy.Enum(VERDICTS, description="of that check, before other rules")
    second_verdict = dy.Enum(
        VERDICTS, nullable=True, description="of the other kind (judge or verifier), where measured"
    )
    passed = dy.Bool(
        nullable=True, description="the verdict of its verifier, whatever decides; null where none could tell"
    )
    pass_rate = dy.Float64(
        nullable=True,
        description="of its question's candidates that passed or did not, those that did; null for none",
    )
    reference_doubtful = dy.Bool(description="the answers to its question agree with each other against its reference")
    repaired_reference = dy.String(nullable=True, description="what counts in place of that reference, where repaired")
    repetitive = dy.Bool(description="under this recipe, even where an earlier rule dropped the row")
    screens = dy.List(
        dy.Enum(SCREENS), description="what screens found in it, even where the recipe does not drop such rows"
    )
    kept = dy.Bool()
    drop_reason = dy.Enum(RESPONSE_DROPS, nullable=True)
    detail = dy.String(nullable=True)
    decided_by = dy.String(nullable=True, description="the field of the recipe that dropped it; null for none")
    reward = dy.Float32(nullable=True)
