"""What an apply does of a partition, and what came of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Step:
    asset: str
    partition: str
    state: Literal["missing", "stale", "follows", "waits"]
    because: str


@dataclass(frozen=True)
class Outcome:
    step: Step
    result: Literal["done", "failed", "waits"]
    error: str = ""


@dataclass(frozen=True)
class Placed:
    """The machine that carries out a step."""

    step: Step
    host: str


@dataclass(frozen=True)
class Lost:
    """A run of a step is gone, with its machine perhaps; the step is submitted again."""

    step: Step
    why: str


Event = Step | Outcome | Placed | Lost
