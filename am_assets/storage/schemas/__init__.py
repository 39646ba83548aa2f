"""The schemas of the tables that assets write: columns, types, keys and nullability, a module for each stage. Those of
verdicts are declared with their verifiers; `orchestration/catalog.py` has them all.

A table is validated against its schema when it is written (`orchestration/tables.py`), so readers may rely on it.
Only shapes belong here: thresholds are in `config/recipe.py`, and nothing here computes.

    >>> TABLES["raw_pool"].column_names()[:3]
    ['question_id', 'source', 'question']
"""

import dataframely as dy

from am_assets.storage.schemas.distillation import ResponseFeatures, Responses, TeacherRequests
from am_assets.storage.schemas.evaluation import (
    BenchmarkConsensus,
    BenchmarkQuestions,
    BenchmarkResponses,
    BenchmarkVerdicts,
    EvalScores,
    ExperimentReport,
    QuestionScores,
    RecipeReport,
    TouchedItems,
)
from am_assets.storage.schemas.policy import PolicySettings
from am_assets.storage.schemas.pool import PUBLISHED, QuestionEmbeddings, QuestionFeatures, QuestionLabels, RawPool
from am_assets.storage.schemas.selection import (
    BenchmarkHits,
    BenchmarkOverlap,
    DedupedSet,
    SelectedQuestions,
    SimilarPairs,
)
from am_assets.storage.schemas.training import PreferenceDataset, RlDataset, SftCheckpoint, SftDataset, TrainingLog
from am_assets.storage.schemas.verification import AnswerConsensus, ResponseScreens, RewardScores, VerifiedSet

__all__ = [
    "PUBLISHED",
    "TABLES",
    "AnswerConsensus",
    "BenchmarkConsensus",
    "BenchmarkHits",
    "BenchmarkOverlap",
    "BenchmarkQuestions",
    "BenchmarkResponses",
    "BenchmarkVerdicts",
    "DedupedSet",
    "EvalScores",
    "ExperimentReport",
    "PolicySettings",
    "PreferenceDataset",
    "QuestionEmbeddings",
    "QuestionFeatures",
    "QuestionLabels",
    "QuestionScores",
    "RawPool",
    "RecipeReport",
    "ResponseFeatures",
    "ResponseScreens",
    "Responses",
    "RewardScores",
    "RlDataset",
    "SelectedQuestions",
    "SftCheckpoint",
    "SftDataset",
    "SimilarPairs",
    "TeacherRequests",
    "TouchedItems",
    "TrainingLog",
    "VerifiedSet",
]

TABLES: dict[str, type[dy.Schema]] = {  # without those of verdicts
    "dedup_policy": PolicySettings,
    "sampling_policy": PolicySettings,
    "teacher_policy": PolicySettings,
    "verification_policy": PolicySettings,
    "preference_policy": PolicySettings,
    "rl_policy": PolicySettings,
    "training_policy": PolicySettings,
    "release_policy": PolicySettings,
    "evaluation_policy": PolicySettings,
    "raw_pool": RawPool,
    "question_features": QuestionFeatures,
    "question_labels": QuestionLabels,
    "question_embeddings": QuestionEmbeddings,
    "similar_pairs": SimilarPairs,
    "benchmark_questions": BenchmarkQuestions,
    "benchmark_overlap": BenchmarkOverlap,
    "benchmark_hits": BenchmarkHits,
    "deduped_set": DedupedSet,
    "selected_questions": SelectedQuestions,
    "teacher_requests": TeacherRequests,
    "responses": Responses,
    "response_features": ResponseFeatures,
    "answer_consensus": AnswerConsensus,
    "reward_scores": RewardScores,
    "response_screens": ResponseScreens,
    "verified_set": VerifiedSet,
    "sft_dataset": SftDataset,
    "preference_dataset": PreferenceDataset,
    "rl_dataset": RlDataset,
    "sft_checkpoint": SftCheckpoint,
    "training_log": TrainingLog,
    "benchmark_responses": BenchmarkResponses,
    "benchmark_verdicts": BenchmarkVerdicts,
    "benchmark_consensus": BenchmarkConsensus,
    "touched_items": TouchedItems,
    "eval_scores": EvalScores,
    "question_scores": QuestionScores,
    "recipe_report": RecipeReport,
    "experiment_report": ExperimentReport,
}
