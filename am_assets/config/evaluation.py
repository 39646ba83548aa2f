"""The section `evaluation` of a recipe: what students are scored on, and how often each item is asked."""

from typing import Annotated, Any, Self

from pydantic import Field

from am_assets.config.files import Section
from am_assets.config.touched import Touched

Samples = Annotated[int, Field(ge=1, le=64)]
Tokens = Annotated[int, Field(ge=1)]


class OfBenchmark(Section):
    """What one benchmark has otherwise; null: as all others."""

    samples: Samples | None = None  # of each item
    max_tokens: Tokens | None = None  # of an answer


class EvaluationPolicy(Section):
    """The benchmarks and sampling parameters that students are scored with."""

    later = ("by_benchmark", "touched")

    benchmarks: list[str] = []  # names of benchmarks.yaml
    system_prompt: str = ""  # sent before each item
    samples: Samples = 4  # of each item
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6  # of sampling
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95  # of sampling
    max_tokens: Tokens = 32_768  # of an answer
    by_benchmark: dict[str, OfBenchmark] = {}  # {aime2024: {samples: 16}}
    seed: int = 0  # of sampling
    touched: Touched = Touched()  # from where on an item counts as touched by released rows

    def of(self, benchmark: str) -> Self:
        """The policy as it is for one benchmark."""
        otherwise = self.by_benchmark.get(benchmark, OfBenchmark()).model_dump(exclude_none=True)
        return self.model_copy(update={**otherwise, "by_benchmark": {}})

    def sampling(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
