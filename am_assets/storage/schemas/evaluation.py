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
    """The funnel: one row per stage and outcome; the `rows` of a stage add up to its input."""

    stage = dy.String(primary_key=True)
    outcome = dy.String(primary_key=True)
    rows = dy.UInt32()
