"""Settings of the measurements (`data/instruments.yaml`): models, floors and limits, shared by all recipes.

A section is the identity of one kind of evidence: a change makes that evidence, and no other, stale; rows measured
under the old value stay in the memo. Thresholds of decisions belong to `recipe.py`, addresses and rate limits of models
to `endpoints.py`.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FilePath

from am_assets.config.endpoints import BUNDLED
from am_assets.config.files import Section

SANDBOX_PACKAGES = Path(__file__).parents[1] / "engines" / "sandbox" / "packages.txt"
LOCAL = "hf/"  # prefix of reward models that run on this machine


class Labels(Section):
    """The language model that says category and difficulty of a question."""

    model: str = BUNDLED  # asked for category and difficulty
    max_tokens: Annotated[int, Field(ge=1)] = 64  # of a label


class Embeddings(Section):
    """What makes the vectors that questions are compared by."""

    model: str = "minilm"  # bundled `minilm` or `static`, or any sentence-transformers name or folder


class Pairs(Section):
    """Which pairs of similar questions are stored."""

    floor: Annotated[float, Field(gt=0, lt=1)] = 0.80  # cosine from which on pairs are stored
    min_recall: Annotated[float, Field(ge=0, le=1)] = 0.995  # alert threshold of the audit of a partition


class Confirm(Section):
    """The language model that judges whether a question and its nearest item are the same problem, and which pairs."""

    model: str  # which is asked
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.75  # cosine from which on it is asked
    ceiling: Annotated[float, Field(gt=0, le=1)] = 0.90  # at or above it recipes decide by the cosine
    max_tokens: Annotated[int, Field(ge=1)] = 16  # of its reply


class Overlap(Section):
    """Which pairs of a question and a benchmark item are stored."""

    floor: Annotated[float, Field(gt=0, lt=1)] = 0.60  # of cosine or wording, to list a pair without text match
    confirm: Confirm | None = None  # null: off


class Opinion(Section):
    """The language model that judges whether an answer agrees with its reference, and which answers."""

    model: str  # which is asked
    ask: Literal["on_disagreement", "always"] = "on_disagreement"  # answers that math-verify does not pass, or all
    max_tokens: Annotated[int, Field(ge=1)] = 16  # of its reply


class Math(Section):
    """How answers are compared with references."""

    timeout_seconds: Annotated[float, Field(gt=0)] = 5  # per answer
    relative_tolerance: Annotated[float, Field(gt=0, lt=1)] | None = None  # of two real numbers; null: equal exactly
    opinion: Opinion | None = None  # null: off


class Code(Section):
    """Limits of the code sandbox, and how output is compared with what a test expects."""

    later = ("output", "stop_at_failure")

    timeout_seconds: Annotated[float, Field(gt=0)] = 10  # per test
    total_seconds: Annotated[float, Field(gt=0)] = 30  # per answer, all tests
    max_tests: Annotated[int, Field(ge=1)] = 200  # per question; further tests are not run
    memory_mb: Annotated[int, Field(ge=32)] = 512  # per program
    processes: Annotated[int, Field(ge=1)] = 64  # and threads at once
    output_kb: Annotated[int, Field(ge=1)] = 64  # stdout and stderr of a test
    printed_kb: Annotated[int, Field(ge=1, le=4096)] = 4000  # stdout of a script, which is its answer
    # Whitespace of a script's output: exact; ignored at the ends of lines and of the text; or any run equals any other.
    whitespace: Literal["exact", "trailing", "any"] = "any"
    float_tolerance: Annotated[float, Field(ge=0, lt=1)] = 1e-6  # relative and absolute; 0: exactly
    # Of a script: word by word as the two fields above say; or line by line as the runner of LiveCodeBench does it,
    # where a line is right as text, or if all words of both lines are numbers and equal as decimals.
    output: Literal["words", "decimals"] = "words"
    stop_at_failure: bool = False  # the tests behind the first that fails are not run, so no recipe may count tests
    # Packages of Python that programs and tests may import, `NAME==VERSION` each, with what they need themselves.
    packages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*==[\w.+!-]+$")], ...] = tuple(
        SANDBOX_PACKAGES.read_text(encoding="utf-8").split()
    )
    compile_seconds: Annotated[float, Field(gt=0)] = 20  # per program
    compile_mb: Annotated[int, Field(ge=32)] = 1024  # memory of the compiler
    # Imports that LeetCode and the graders of APPS, LiveCodeBench and rLLM put before a program, where it needs them.
    prelude: bool = True
    # The header of testlib, for checkers in C++ that include it: an absolute path on this machine. Part of verdicts by
    # its path, so another version belongs at another one.
    testlib: FilePath | None = None


class Instructions(Section):
    """Limits of the checks of constraints."""

    timeout_seconds: Annotated[float, Field(gt=0)] = 5  # per answer, all constraints


class Reward(Section):
    """The judge that scores responses."""

    # A language model as judge; or `hf/` and the folder or hub name of a reward model with one output for each of the
    # five dimensions, which runs on this machine.
    model: str = BUNDLED
    max_tokens: Annotated[int, Field(ge=1)] = 96  # of its reply
    # Which well-formed responses are scored: those that neither reference nor tests can check; or all, for recipes that
    # accept by reward and to compare verifiers with the judge.
    judges: Literal["open", "every"] = "open"
    audit: Annotated[float, Field(ge=0, le=1)] = 0.02  # share of questions that are judged twice more
    # Alert thresholds of the asset checks on the judge.
    min_agreement: Annotated[float, Field(ge=0, le=1)] = 0.8  # of audit scores with the first ones
    max_alike: Annotated[float, Field(ge=0, le=1)] = 0.95  # same number, of a shard's scores of a dimension
    min_rows: Annotated[int, Field(ge=1)] = 20  # with fewer rows there is no alert

    @property
    def local(self) -> str | None:
        """The folder or hub name of the reward model; None where a language model is the judge."""
        return self.model.removeprefix(LOCAL) if self.model.startswith(LOCAL) else None


class Unsafe(Section):
    """The language model that judges whether a question and its answer are unsafe."""

    model: str  # which is asked
    max_tokens: Annotated[int, Field(ge=1)] = 16  # of its reply


class Screens(Section):
    """What is looked for in responses with the help of a model."""

    unsafe: Unsafe | None = None  # null: off


class Instruments(Section):
    """What measures: one section for each kind of evidence."""

    labels: Labels = Labels()
    embeddings: Embeddings = Embeddings()
    pairs: Pairs = Pairs()
    overlap: Overlap = Overlap()
    math: Math = Math()
    code: Code = Code()
    instructions: Instructions = Instructions()
    screens: Screens = Screens()
    reward: Reward = Reward()

    def asked(self) -> dict[str, str]:
        """The language models in use, by the field that names them."""
        asked = {"labels.model": self.labels.model}
        if self.overlap.confirm:
            asked["overlap.confirm.model"] = self.overlap.confirm.model
        if self.math.opinion:
            asked["math.opinion.model"] = self.math.opinion.model
        if self.screens.unsafe:
            asked["screens.unsafe.model"] = self.screens.unsafe.model
        return asked if self.reward.local is not None else asked | {"reward.model": self.reward.model}
