"""Low-rank adapters: a section of `training`."""

from typing import Annotated

from pydantic import Field

from am_assets.config.files import Section


class Lora(Section):
    """What is trained in the place of all parameters."""

    rank: Annotated[int, Field(ge=1)] = 16  # of the adapters
    alpha: Annotated[int, Field(ge=1)] = 32  # the adapter's output is multiplied by alpha / rank
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0  # on their input
    # Names of linear modules, as q_proj; null: all but the head.
    targets: Annotated[list[str], Field(min_length=1)] | None = None
