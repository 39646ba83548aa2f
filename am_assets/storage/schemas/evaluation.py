"""Tables of the evaluation stage: benchmarks, answers of the student, scores and the report."""

import dataframely as dy

from am_assets.config.vocabulary import VERDICTS


class BenchmarkQuestions(dy.Schema):
    item_id = dy.String(primary_key=True)
    question = dy.String(description="without its options and the code to complete")
    reference_answer = dy.String(nullable=True, description="of multiple choice, the letter that a pool would have")
    test_cases = dy.String(nullable=True)
    constraints = dy.String(nullable=True)
    options = dy.List(dy.String(), nullable=True, description="of multiple choice, the right one first")
    starter = dy.String(nullable=True, description="code to complete")
    prompt = dy.String(nullable=True, description="how it is asked; null: the question alone")
    limits = dy.String(nullable=True, description="JSON: limits of programs that the benchmark sets itself")


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
    well_formed = dy.Bool(description="has both a think and an answer part")


class BenchmarkConsensus(dy.Schema):
    """The results that the answers to an item with a reference state, where a student answered it several times."""

    student = dy.Enum(["untrained", "trained"], primary_key=True)
    item_id = dy.String(primary_key=True)
    sample_index = dy.UInt16(primary_key=True)
    result = dy.String(nullable=True, description="as the answer writes it; null where it states none to compare")
    equal_to = dy.String(
        nullable=True, description="the plainest of that student's results equal to it, which names its class"
    )


class TouchedItems(dy.Schema):
    """The items that rows touch which the student was trained on: by each measure the strongest. No threshold."""

    item_id = dy.String(primary_key=True)
    measure = dy.String(primary_key=True)
    value = dy.Float32()
    question_id = dy.String(description="of the row")


class EvalScores(dy.Schema):
    """One row per student and metric; `gain` is the trained student less the untrained one, question by question."""

    student = dy.Enum(["untrained", "trained", "gain"], primary_key=True)
    items = dy.Enum(
        ["all", "untouched"], primary_key=True, description="untouched: without those that released rows touch"
    )
    metric = dy.String(
        primary_key=True,
        description="pass@k: one of k answers passes; maj@k: the result that most of k answers state passes; truncated,"
        " malformed, unverifiable: shares of the answers; tokens: their mean length",
    )
    value = dy.Float64(description="the mean over questions of what each has over its samples")
    ci_low = dy.Float64(description="of the 95 % bootstrap interval over questions")
    ci_high = dy.Float64()
    questions = dy.UInt32()
    samples = dy.UInt16(description="of a question, at most")
    differing = dy.UInt32(nullable=True, description="of a gain: the questions that the students score differently on")
    p = dy.Float64(nullable=True, description="of a gain: of the exact sign-flip test, two-sided")
    detectable = dy.Float64(
        nullable=True, description="of a gain: the smallest that so many questions would have shown, with 80 % power"
    )
    needed = dy.UInt64(nullable=True, description="of a gain: how many questions would show it, with 80 % power")


class QuestionScores(dy.Schema):
    """What students compare by: one row per student, benchmark and item."""

    student = dy.Enum(["untrained", "trained"], primary_key=True)
    benchmark = dy.String(primary_key=True)
    item_id = dy.String(primary_key=True)
    samples = dy.UInt16(description="answers of the student")
    score = dy.Float64(description="the share of them that pass")
    touched = dy.Bool(description="whether a released row touches the item, by the recipe's evaluation.touched")


class ExperimentReport(dy.Schema):
    """What the variants of an experiment came to, and how the student of each compares with that of the first."""

    variant = dy.String(primary_key=True)
    part = dy.Enum(
        ["rows", "category", "difficulty", "cost", "training", "score", "difference"],
        primary_key=True,
        description="score: of the trained student; difference: of its score less that of the first variant's",
    )
    name = dy.String(primary_key=True, description="what is counted; of scores and differences the benchmark")
    items = dy.Enum(
        ["all", "untouched"], primary_key=True, description="untouched: without those that rows of either touch"
    )
    value = dy.Float64(description="rows, tokens, US dollars; of scores and differences a share")
    ci_low = dy.Float64(nullable=True, description="of the 95 % bootstrap interval over questions")
    ci_high = dy.Float64(nullable=True)
    questions = dy.UInt32(nullable=True)
    p = dy.Float64(nullable=True, description="of the exact sign-flip test, two-sided")
    detectable = dy.Float64(
        nullable=True, description="the smallest difference that so many questions would have shown"
    )
    needed = dy.UInt64(nullable=True, description="how many questions would show this difference")
    said = dy.String(nullable=True, description="what can be said of the difference")


class RecipeReport(dy.Schema):
    """The funnel: one row per stage and outcome; the `rows` of a stage add up to its input."""

    stage = dy.String(primary_key=True)
    outcome = dy.String(primary_key=True)
    rows = dy.UInt32()
