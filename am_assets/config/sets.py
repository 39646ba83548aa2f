"""Thresholds of the sets that are made of the same evidence beside the SFT dataset: sections of a recipe."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from am_assets.config.files import Section

Share = Annotated[float, Field(ge=0, le=1)]


class PreferencePolicy(Section):
    """Which pairs of a chosen and a rejected response a question gives. A chosen one is kept and passed."""

    pairs: Annotated[int, Field(ge=1)] | None = 1  # of a question, widest gap in reward first; null: all
    # The drop reasons of a rejected response: failures, and on request faults of form. A response that was cut off or
    # has no two parts is never one, nor one of which nothing is known.
    reject: list[
        Literal[
            "wrong_answer", "failed_tests", "broken_constraints", "low_reward", "against_consensus",
            "unreasoned", "repetitive", "other_language", "leaked",
        ]
    ] = ["wrong_answer", "failed_tests", "broken_constraints", "low_reward"]  # fmt: skip
    min_reward_gap: Annotated[float, Field(gt=0, le=1)] = 0.1  # of pairs in which the reward rejects
    max_length_ratio: Annotated[float, Field(ge=1)] | None = None  # of the longer to the shorter response; null: any
    min_paired: Share = 0  # alert threshold of the check: of the questions with responses, those that gave a pair


class RlPolicy(Section):
    """Which of the questions that a verifier can check are released for reinforcement learning."""

    # Of the recipe's candidate responses to the question with a verdict of a verifier, the share that passed.
    min_pass_rate: Share = 0
    max_pass_rate: Share = 1  # the same, from above
    unmeasured: Literal["keep", "drop"] = "keep"  # questions of which no response has such a verdict
    min_measured: Share = 0  # alert threshold of the check: of the released questions, those with a pass rate

    @model_validator(mode="after")
    def _some_rate(self) -> Self:
        if self.min_pass_rate > self.max_pass_rate:
            raise ValueError(f"min_pass_rate {self.min_pass_rate} lies above max_pass_rate {self.max_pass_rate}")
        return self
