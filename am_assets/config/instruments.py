"""What measures: the models, floors and limits behind the evidence, shared by all recipes.

`data/instruments.yaml` holds them. A section is the identity of one kind of evidence: changing it makes that
evidence (and only that) stale, and rows already measured under the old value stay in the memo. Thresholds that decide
belong to `recipe.py`; where a model is reached and how fast belongs to `engines/llm/`.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from am_assets.config.files import Section, parse, read_yaml

LOCAL = "hf/"


class Labels(Section):
    model: str
    max_tokens: Annotated[int, Field(ge=1)] = 64


class Embeddings(Section):
    model: str = "minilm"  # bundled `minilm` or `static`, or any sentence-transformers name or folder


class Pairs(Section):
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.80
    min_recall: Annotated[float, Field(ge=0, le=1)] = 0.995  # an alert: what the audit of a partition is held to


class Confirm(Section):
    """Who is asked whether a question and its nearest item are one problem, and of which cosines."""

    model: str
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.75
    ceiling: Annotated[float, Field(gt=0, le=1)] = 0.90  # from here on recipes take the cosine's word
    max_tokens: Annotated[int, Field(ge=1)] = 16


class Overlap(Section):
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.60  # cosine and wording under which, without text, none is listed
    confirm: Confirm | None = None  # null: nobody is asked


class Opinion(Section):
    """Who is asked whether an answer agrees with its reference, and of which answers."""

    model: str
    ask: Literal["on_disagreement", "always"] = "on_disagreement"  # of those that math-verify does not pass, or of all
    max_tokens: Annotated[int, Field(ge=1)] = 16


class Math(Section):
    timeout_seconds: Annotated[float, Field(gt=0)] = 5
    opinion: Opinion | None = None  # null: nobody is asked


class Code(Section):
    """How programs are run and what counts as the output that a test expects."""

    timeout_seconds: Annotated[float, Field(gt=0)] = 10  # of each test
    total_seconds: Annotated[float, Field(gt=0)] = 30  # of all tests of an answer
    max_tests: Annotated[int, Field(ge=1)] = 200  # of a question; those after them are not run
    memory_mb: Annotated[int, Field(ge=32)] = 512
    processes: Annotated[int, Field(ge=1)] = 64
    output_kb: Annotated[int, Field(ge=1)] = 64  # what a test may print beside its answer
    printed_kb: Annotated[int, Field(ge=1, le=4096)] = 1024  # what a script may print as its answer
    # White space of a script's answer: as expected, but for the ends of lines and of the text, or of whatever kind.
    whitespace: Literal["exact", "trailing", "any"] = "any"
    float_tolerance: Annotated[float, Field(ge=0, lt=1)] = 1e-6  # relative and absolute; 0 compares numbers as text
    compile_seconds: Annotated[float, Field(gt=0)] = 20
    compile_mb: Annotated[int, Field(ge=32)] = 1024


class Instructions(Section):
    timeout_seconds: Annotated[float, Field(gt=0)] = 5  # of all constraints of an answer


class Reward(Section):
    # A language model that is asked; or `hf/` and the folder or hub name of a reward model with a head for each of the
    # five dimensions, which scores on this machine and asks nobody.
    model: str
    max_tokens: Annotated[int, Field(ge=1)] = 96
    # Which well-formed responses are scored: those that neither reference nor tests can check, or every one, for
    # recipes that accept by reward and to hold verifiers and judge against each other.
    judges: Literal["open", "every"] = "open"
    audit: Annotated[float, Field(ge=0, le=1)] = 0.02  # of the questions: asked twice more, to see the judge agree
    # Alerts: what the asset checks hold the judge to.
    min_agreement: Annotated[float, Field(ge=0, le=1)] = 0.8  # of an audit's scores with the first ones
    max_alike: Annotated[float, Field(ge=0, le=1)] = 0.95  # of a shard's scores of one dimension, the same number
    min_rows: Annotated[int, Field(ge=1)] = 20  # with fewer, nothing is said of the judge

    @property
    def local(self) -> str | None:
        """The folder or hub name of the reward model; None where a language model judges."""
        return self.model.removeprefix(LOCAL) if self.model.startswith(LOCAL) else None


class Instruments(Section):
    labels: Labels
    embeddings: Embeddings = Embeddings()
    pairs: Pairs = Pairs()
    overlap: Overlap = Overlap()
    math: Math = Math()
    code: Code = Code()
    instructions: Instructions = Instructions()
    reward: Reward

    def asked(self) -> dict[str, str]:
        """The language models that are asked, by the field that names them."""
        asked = {"labels.model": self.labels.model}
        if self.overlap.confirm:
            asked["overlap.confirm.model"] = self.overlap.confirm.model
        if self.math.opinion:
            asked["math.opinion.model"] = self.math.opinion.model
        return asked if self.reward.local is not None else asked | {"reward.model": self.reward.model}


def load_instruments(path: Path) -> Instruments:
    return parse(Instruments, read_yaml(path), str(path))
