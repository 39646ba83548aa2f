"""The table each asset hands to the next: columns, types and the promises every row keeps.

A table is validated against its schema where it is written (`tables.py`), so a reader may trust what it
loads. Only shapes belong here: no thresholds (`recipe.py`), no computation.
"""

import dataframely as dy

from am_assets.config.vocabulary import (
    CATEGORIES,
    DIFFICULTIES,
    OUTCOMES,
    QUESTION_DROPS,
    RESPONSE_DROPS,
    TEMPLATES,
    UNLABELLED,
    VERDICTS,
)

PUBLISHED = dy.List(dy.Struct({"teacher": dy.String(), "response": dy.String()}))


class RawPool(dy.Schema):
    """One row a distinct question of the shard."""

    question_id = dy.String(primary_key=True)
    source = dy.String()
    question = dy.String()
    reference_answer = dy.String(nullable=True)
    test_cases = dy.String(nullable=True, description='JSON {"test_code", "test_entry_point"}')
    constraints = dy.String(nullable=True, description='JSON [{"id", "kwargs"}], of the kind of IFEval')
    published = PUBLISHED
    copies = dy.UInt32(description="input rows that carried this question")
    defect = dy.String(nullable=True, description="why the row can't be used; null for a sound row")


class QuestionFeatures(dy.Schema):
    question_id = dy.String(primary_key=True)
    chars = dy.UInt32()
    words = dy.UInt32()
    ascii_share = dy.Float32(description="letters of the Latin script among all letters")
    language = dy.String(description="ISO 639-1 by py3langid")
    complete = dy.Bool(description="does not end mid-sentence")
    has_url = dy.Bool()
    has_image = dy.Bool()
    has_table = dy.Bool()
    has_check = dy.Bool(description="has any of the next three")
    has_reference = dy.Bool()
    has_tests = dy.Bool()
    has_constraints = dy.Bool()
    published = dy.UInt32(description="published responses")


class QuestionLabels(dy.Schema):
    question_id = dy.String(primary_key=True)
    category = dy.Enum([*CATEGORIES, UNLABELLED])
    difficulty = dy.Enum([*DIFFICULTIES, UNLABELLED])
    label_model = dy.String()
    label_raw = dy.String(description="the model's answer as it came")


class QuestionEmbeddings(dy.Schema):
    question_id = dy.String(primary_key=True)
    vector = dy.List(dy.Float32(), description="unit length; one dimension for the whole pool")


class SimilarPairs(dy.Schema):
    """Unordered pairs of distinct questions at or above the floor; `question_id` lies in this shard.

    A question paired with itself stands in a crowd: it has so many neighbours that its pairs with others of a crowd are
    not listed, but left to be worked out from the vectors."""

    question_id = dy.String(primary_key=True)
    other_id = dy.String(primary_key=True)
    cosine = dy.Float32()


class BenchmarkQuestions(dy.Schema):
    item_id = dy.String(primary_key=True)
    question = dy.String()
    reference_answer = dy.String(nullable=True)
    test_cases = dy.String(nullable=True)


class BenchmarkOverlap(dy.Schema):
    """One row a question of the pool that comes near any item of the benchmark: raw measurements, no cut.

    Each measure names the item it was largest for. Shares are of one item's distinct word n-grams, 0 to 1.
    """

    question_id = dy.String(primary_key=True)
    item_id = dy.String(description="the nearest item by embedding")
    cosine = dy.Float32()
    same_numbers = dy.Bool(description="as that item, and some")
    same_text = dy.Bool(description="equal after case and punctuation are stripped")
    same_template = dy.Bool(description="equal after numbers are masked")
    text_item = dy.String(nullable=True)
    ngram_8 = dy.Float32()
    ngram_8_item = dy.String(nullable=True)
    ngram_13 = dy.Float32()
    ngram_13_item = dy.String(nullable=True)
    wording = dy.Float32(description="word 3-grams, numbers masked; a short item counts as a longer one")
    wording_item = dy.String(nullable=True)
    # What a language model said of the question and its nearest item, in this order and swapped; null: not asked or
    # not readable.
    same = dy.Bool(nullable=True)
    same_swapped = dy.Bool(nullable=True)


class DedupedSet(dy.Schema):
    """Every question of every shard, with its fate under one recipe's dedup policy."""

    question_id = dy.String(primary_key=True)
    shard = dy.String(primary_key=True)
    source = dy.String()
    copies = dy.UInt32()
    kept = dy.Bool()
    drop_reason = dy.Enum(QUESTION_DROPS, nullable=True)
    representative = dy.String(nullable=True, description="the kept question that stands for this one")
    cosine = dy.Float32(nullable=True, description="to the representative")
    detail = dy.String(nullable=True)
    decided_by = dy.String(nullable=True, description="the field of the recipe that dropped it; null for none")


class SelectedQuestions(dy.Schema):
    """Every deduplicated question, with its fate before the teacher; kept rows are what the teacher is asked."""

    question_id = dy.String(primary_key=True)
    shard = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    kept = dy.Bool()
    drop_reason = dy.Enum(QUESTION_DROPS, nullable=True)
    detail = dy.String(nullable=True, description="the benchmark item, the flag or the rate that decided")
    decided_by = dy.String(
        nullable=True, description="the field of the recipe that dropped it, two rates comma-separated; null for none"
    )
    teacher = dy.String()
    samples = dy.UInt16(description="new responses wanted of the teacher; 0 where published ones do")


class TeacherRequests(dy.Schema):
    """What the recipes together ask of one shard: one row a response wanted, whoever wants it."""

    request_key = dy.String(primary_key=True, description="hash of everything that identifies the answer")
    after = dy.String(
        primary_key=True, description='the request whose answer has to be cut off before this is asked; else ""'
    )
    question_id = dy.String()
    teacher = dy.String()
    sample_index = dy.UInt16()
    messages = dy.String(description="JSON, as sent")
    sampling = dy.String(description="JSON: temperature, top_p, max_tokens, stop, reasoning options")
    recipes = dy.List(dy.String(), description="who wants it")


class Responses(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    request_key = dy.String(nullable=True, description="null for a published response")
    teacher = dy.String()
    origin = dy.Enum(["published", "distilled"])
    sample_index = dy.UInt16()
    response = dy.String()
    finish_reason = dy.String()
    prompt_tokens = dy.UInt32()
    completion_tokens = dy.UInt32()
    cost = dy.Float64(description="US dollars")


class ResponseFeatures(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    think = dy.String(nullable=True)
    answer = dy.String(nullable=True)
    template = dy.Enum(TEMPLATES, nullable=True, description="null where the parts can't be told apart")
    well_formed = dy.Bool(description="both parts are there and nothing else")
    truncated = dy.Bool()
    think_chars = dy.UInt32()
    answer_chars = dy.UInt32()
    # Shares, 0 to 1.
    repetition = dy.Float32(description="of word 8-grams: those that occurred before")
    consecutive = dy.Float32(
        description="of words: those in a phrase said three times in a row or more, from its second time on"
    )
    prompt_share = dy.Float32(description="of the answer's word 8-grams: those that stand in the question")
    think_language = dy.String(description="ISO 639-1 by py3langid; und where it can't be told")
    answer_language = dy.String(description="of the whole response where it has no answer part")


class MathVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()
    extracted = dy.String(nullable=True, description="the answer as it was read")
    reference = dy.String()
    # What a language model said of the same answer; null: not asked, or (judged_equal alone) not readable.
    judge = dy.String(nullable=True)
    judged_equal = dy.Bool(nullable=True)
    judge_raw = dy.String(nullable=True)


class CodeVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS, description="of all tests; a recipe may ask for some of them")
    reason = dy.String()
    outcomes = dy.List(dy.Enum(OUTCOMES), description="of each test, in their order; empty where none could be run")
    detail = dy.String(description="last lines of the first error, for a person")
    sandbox = dy.String(description="docker, bubblewrap or none")


class InstructionVerdicts(dy.Schema):
    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()
    outcomes = dy.List(
        dy.Struct({"constraint": dy.String(), "holds": dy.Bool(nullable=True)}),
        description="holds is null where it could not be told; empty where no constraint was looked at",
    )


class RewardScores(dy.Schema):
    """Scores of the answer part, 0 to 4 a dimension: a judge's, null where what it said could not be read, or a reward
    model's, null where the text is longer than it reads."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    judge = dy.String()
    correctness = dy.Float32(nullable=True)
    helpfulness = dy.Float32(nullable=True)
    coherence = dy.Float32(nullable=True)
    complexity = dy.Float32(nullable=True)
    verbosity = dy.Float32(nullable=True)
    judge_raw = dy.String(description="as the judge said it, or as the heads gave it: JSON, in no bounds")


class VerifiedSet(dy.Schema):
    """Every candidate response of a recipe, with its fate; sorted by shard and response_id."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    shard = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    teacher = dy.String()
    origin = dy.String()
    evidence = dy.Enum(["math", "code", "instructions", "reward"], description="what kind of check decides")
    verdict = dy.Enum(VERDICTS, description="of that check, before the other rules")
    second_verdict = dy.Enum(
        VERDICTS, nullable=True, description="of the other kind, judge or verifier, where it was measured"
    )
    repetitive = dy.Bool(description="under this recipe, whatever rule came first")
    kept = dy.Bool()
    drop_reason = dy.Enum(RESPONSE_DROPS, nullable=True)
    detail = dy.String(nullable=True)
    decided_by = dy.String(nullable=True, description="the field of the recipe that dropped it; null for none")
    reward = dy.Float32(nullable=True)


class SftDataset(dy.Schema):
    """The released rows: AM schema messages beside the columns a reader filters by."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    source = dy.String()
    category = dy.String()
    difficulty = dy.String()
    teacher = dy.String()
    question = dy.String()
    think = dy.String()
    answer = dy.String()
    reference_answer = dy.String(nullable=True)
    test_case = dy.String(nullable=True)


class SftCheckpoint(dy.Schema):
    """One row: the trained student, and what went into it."""

    student = dy.String(primary_key=True)
    path = dy.String(description="Hugging Face layout, below the assets folder")
    sha256 = dy.String(description="of the weights file")
    rows = dy.UInt32()
    steps = dy.UInt32()
    tokens = dy.UInt64()
    first_loss = dy.Float64()
    last_loss = dy.Float64()


class BenchmarkResponses(dy.Schema):
    student = dy.Enum(["untrained", "trained"], primary_key=True)
    item_id = dy.String(primary_key=True)
    sample_index = dy.UInt16(primary_key=True)
    response = dy.String()
    finish_reason = dy.String()
    completion_tokens = dy.UInt32()


class BenchmarkVerdicts(dy.Schema):
    student = dy.Enum(["untrained", "trained"], primary_key=True)
    item_id = dy.String(primary_key=True)
    sample_index = dy.UInt16(primary_key=True)
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()
    well_formed = dy.Bool(description="the answer has its think and answer parts")


class EvalScores(dy.Schema):
    student = dy.Enum(["untrained", "trained"], primary_key=True)
    questions = dy.UInt32()
    samples = dy.UInt16()
    pass_at_1 = dy.Float64()
    ci_low = dy.Float64()
    ci_high = dy.Float64()
    well_formed = dy.Float64()
    unverifiable = dy.Float64()


class RecipeReport(dy.Schema):
    """The funnel: one row a stage and outcome; `rows` of a stage's outcomes add up to what entered it."""

    stage = dy.String(primary_key=True)
    outcome = dy.String(primary_key=True)
    rows = dy.UInt32()


class PolicySettings(dy.Schema):
    """One section of a recipe: its settings and their JSON values."""

    setting = dy.String(primary_key=True)
    value = dy.String()


TABLES: dict[str, type[dy.Schema]] = {
    "dedup_policy": PolicySettings,
    "sampling_policy": PolicySettings,
    "teacher_policy": PolicySettings,
    "verification_policy": PolicySettings,
    "training_policy": PolicySettings,
    "evaluation_policy": PolicySettings,
    "raw_pool": RawPool,
    "question_features": QuestionFeatures,
    "question_labels": QuestionLabels,
    "question_embeddings": QuestionEmbeddings,
    "similar_pairs": SimilarPairs,
    "benchmark_questions": BenchmarkQuestions,
    "benchmark_overlap": BenchmarkOverlap,
    "deduped_set": DedupedSet,
    "selected_questions": SelectedQuestions,
    "teacher_requests": TeacherRequests,
    "responses": Responses,
    "response_features": ResponseFeatures,
    "math_verdicts": MathVerdicts,
    "code_verdicts": CodeVerdicts,
    "instruction_verdicts": InstructionVerdicts,
    "reward_scores": RewardScores,
    "verified_set": VerifiedSet,
    "sft_dataset": SftDataset,
    "sft_checkpoint": SftCheckpoint,
    "benchmark_responses": BenchmarkResponses,
    "benchmark_verdicts": BenchmarkVerdicts,
    "eval_scores": EvalScores,
    "recipe_report": RecipeReport,
}
