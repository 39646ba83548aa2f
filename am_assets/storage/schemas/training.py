"""Tables of the training stage: the released sets and the trained student. By recipe."""

import dataframely as dy

from am_assets.config.vocabulary import RELEASED_CHECKS, RESPONSE_DROPS, VERDICTS

CHAT = dy.List(dy.Struct({"role": dy.String(), "content": dy.String()}))


class SftDataset(dy.Schema):
    """The released rows, by shard and response_id, with the columns that readers filter by. Their texts are in the
    release."""

    response_id = dy.String(primary_key=True)
    shard = dy.String()
    question_id = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    teacher = dy.String()
    license = dy.String(nullable=True)
    pass_rate = dy.Float64(nullable=True, description="of the question, as in verified_set")
    check = dy.Enum(RELEASED_CHECKS, description="what an answer to the question can be held against")
    answer_language = dy.String(description="as in response_features")
    question_chars = dy.UInt32()
    think_chars = dy.UInt32()
    answer_chars = dy.UInt32()
    chars = dy.UInt32(description="of all that is released of the row")
    content = dy.String(description="hash of all that is released of the row")


class SftCheckpoint(dy.Schema):
    """One row: the trained student and a summary of its training."""

    student = dy.String(primary_key=True)
    path = dy.String(description="Hugging Face layout, below the assets folder")
    sha256 = dy.String(description="of the weights file")
    rows = dy.UInt32()
    steps = dy.UInt32()
    tokens = dy.UInt64()
    first_loss = dy.Float64()
    last_loss = dy.Float64()


class TrainingLog(dy.Schema):
    """The steps of a training."""

    step = dy.UInt32(primary_key=True)
    loss = dy.Float64(description="mean over the tokens of the assistant's turns in the step's batch")
    learning_rate = dy.Float64(description="of the step")
    gradient_norm = dy.Float64(nullable=True, description="before it is clipped")


class PreferenceDataset(dy.Schema):
    """Pairs of a chosen and a rejected response to one question."""

    chosen_id = dy.String(primary_key=True)
    rejected_id = dy.String(primary_key=True)
    question_id = dy.String()
    source = dy.String()
    license = dy.String(nullable=True)
    category = dy.String()
    difficulty = dy.String()
    prompt = CHAT
    chosen = CHAT
    rejected = CHAT
    chosen_teacher = dy.String()
    rejected_teacher = dy.String()
    chosen_verdict = dy.Enum(VERDICTS)
    rejected_verdict = dy.Enum(VERDICTS)
    rejected_because = dy.Enum(RESPONSE_DROPS)
    evidence = dy.String(description="what decided on the rejected one: the name of a verifier, or reward")
    detail = dy.String(nullable=True)
    chosen_reward = dy.Float32(nullable=True)
    rejected_reward = dy.Float32(nullable=True)
    reward_gap = dy.Float32(nullable=True, description="null where one of them was not measured")


class RlDataset(dy.Schema):
    """Questions that a verifier can check, with what it compares answers with."""

    question_id = dy.String(primary_key=True)
    source = dy.String()
    license = dy.String(nullable=True)
    category = dy.String()
    difficulty = dy.String()
    prompt = CHAT
    reference_answer = dy.String(nullable=True)
    test_cases = dy.String(nullable=True, description="JSON")
    constraints = dy.String(nullable=True, description="JSON")
    verifiers = dy.List(dy.String(), description="those that check the answers, the first one by what is compared")
    attempts = dy.UInt32(description="responses with a verdict of a verifier, whatever rule dropped them")
    passes = dy.UInt32()
    pass_rate = dy.Float64(nullable=True, description="0 to 1; null without attempts")
    teachers = dy.List(dy.String(), description="that made the attempts")
    replaced_reference = dy.String(
        nullable=True, description="of the source, where `reference_answer` is what answers agreed on against it"
    )
