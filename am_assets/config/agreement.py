"""Thresholds on how far the answers to a question agree, and on how many of them pass: sections of `verification`, and
one of `sampling`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from am_assets.config.files import Section
from am_assets.config.sets import Share


class Agreement(Section):
    """When the answers to a question agree on a result."""

    min_share: Share = 0.9  # of the answers, those with that result
    min_samples: Annotated[int, Field(ge=2)] = 8  # answers, with a result or without


class ReferencePolicy(Section):
    """What becomes of questions whose answers agree with each other against the reference. They are marked in
    `verified_set` either way."""

    drop: Agreement | None = None  # such questions go
    repair: Agreement | None = None  # their result takes the place of the reference, and decides
    max_doubtful: Share = (
        0.05  # alert threshold of the check: of a source's questions with a reference and such answers
    )

    @model_validator(mode="after")
    def _drop_or_repair(self) -> Self:
        if self.drop and self.repair:
            raise ValueError("drop and repair both say what becomes of a doubtful reference: leave one of them out")
        return self

    @property
    def agreement(self) -> Agreement:
        """When a reference is doubtful."""
        return self.drop or self.repair or Agreement()


class PassRates(Section):
    """The pass rates of questions whose responses are kept: of the responses with a verdict of a verifier, the share
    that passed. 1 is what the teacher always solves, 0 what it never solves."""

    least: Share = 0  # pass rate
    most: Share = 1  # pass rate
    min_attempts: Annotated[int, Field(ge=1)] = 2  # responses with such a verdict, below which a question stays

    @model_validator(mode="after")
    def _some_rate(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least {self.least} lies above most {self.most}")
        return self


def _round(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_.-]+@[0-9a-f]{12}", name):
        recipe = name.partition("@")[0]
        raise ValueError(
            f"{name} names no round, as {recipe}@4f0c2a7d11be would: am freeze --recipe {recipe} keeps one and prints"
            " its name"
        )
    return name


class EarlierPassRates(PassRates):
    """The pass rates that questions had in a frozen round (`am freeze`), of this recipe or another. As the bounds
    stand, what was always or never solved there is dropped."""

    round: Annotated[str, AfterValidator(_round)]  # as `am freeze` prints it
    least: Share = 0.01  # pass rate
    most: Share = 0.99  # pass rate
    unmeasured: Literal["keep", "drop"] = "keep"  # questions with fewer attempts there than `min_attempts`, or none
