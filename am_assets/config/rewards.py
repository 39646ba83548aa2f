"""How the dimensions of a reward count: sections within `verification` of a recipe."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from am_assets.config.files import Section

Weight = Annotated[float, Field(ge=0)]
Score = Annotated[int, Field(ge=0, le=4)]


class RewardWeights(Section):
    """Weights of the dimensions in the mean; at least one is not 0."""

    correctness: Weight = 1  # what it says is true
    helpfulness: Weight = 1  # it does what was asked
    coherence: Weight = 1  # it is consistent and clear
    complexity: Weight = 0  # how much it takes to write it
    verbosity: Weight = 0  # how long it is for what was asked

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every weight is 0: name at least one dimension that counts")
        return self


class RewardMinima(Section):
    """The minimum score of each dimension, 0 to 4."""

    correctness: Score = 0  # what it says is true
    helpfulness: Score = 0  # it does what was asked
    coherence: Score = 0  # it is consistent and clear
    complexity: Score = 0  # how much it takes to write it
    verbosity: Score = 0  # how long it is for what was asked


# Named reward rules and the fields they set. The paper itself discloses none.
REWARD_RULES: dict[str, dict[str, Any]] = {
    # DeepDistill, a later paper of the same team: (coherence + correctness + helpfulness) / 12 above 0.7.
    "deepdistill": {"weights": RewardWeights(), "minima": RewardMinima(), "min_reward": 0.7},
}
