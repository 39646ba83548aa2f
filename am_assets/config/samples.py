"""How many answers a recipe asks for to each question: a number, or as many as it takes until one passes."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from am_assets.config.files import Section


class UntilPass(Section):
    """Further answers are asked for only while none passed its verifiers; `least` where no verifier can tell."""

    least: Annotated[int, Field(ge=1, le=64)] = 1  # asked at once
    most: Annotated[int, Field(ge=1, le=64)]  # asked in all
    until: Literal["pass"]  # the end: one passed

    @model_validator(mode="after")
    def _least_first(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}")
        return self


def _tag(value: object) -> str:
    return "until_pass" if isinstance(value, dict | UntilPass) else "number"


Samples = Annotated[
    Annotated[int, Field(ge=0, le=64), Tag("number")] | Annotated[UntilPass, Tag("until_pass")], Discriminator(_tag)
]
