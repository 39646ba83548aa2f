"""Every threshold of every decision, typed: a `Recipe` and its policies.

A recipe is one YAML file under `data/recipes/`; it may extend another (`extends:`) and then holds only the differences.
Unknown keys and values out of range are errors that name the file and the field. What measures (label model, embedder,
judge, verifier limits) belongs to `instruments.py`; addresses, concurrency and prices of models to `endpoints.py`.
Sections of the sets beside the SFT dataset are in `sets.py`.
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from am_assets.config.agreement import EarlierPassRates, PassRates, ReferencePolicy
from am_assets.config.evaluation import EvaluationPolicy
from am_assets.config.files import Section
from am_assets.config.licenses import normalized
from am_assets.config.lora import Lora
from am_assets.config.rewards import REWARD_RULES, RewardMinima, RewardWeights
from am_assets.config.samples import Samples
from am_assets.config.sets import PreferencePolicy, RlPolicy, Share
from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED, Screen

PriorityRule = Literal["has_check", "published", "difficulty", "complete", "language", "source_rank", "license"]


def _level(name: str) -> str:
    return _one_of(name, DIFFICULTIES)


def _category(name: str) -> str:
    return _one_of(name, CATEGORIES)


def _group(name: str) -> str:
    """A difficulty, a category, or `category/difficulty`."""
    category, slash, difficulty = name.partition("/")
    if slash:
        return f"{_category(category)}/{_level(difficulty)}"
    return _one_of(name, [*CATEGORIES, *DIFFICULTIES])


def _one_of(name: str, known: list[str]) -> str:
    if name not in known and name != UNLABELLED:
        raise ValueError(f"{name} is none of {', '.join([*known, UNLABELLED])}")
    return name


Group = Annotated[str, AfterValidator(_group)]


class DedupPolicy(Section):
    """When questions are duplicates, and which of them is kept."""

    threshold: Share = 0.95  # cosine of two questions from which on they are duplicates
    # Earlier entries take precedence; ties are broken by question id. The paper's figure lists these rules unordered.
    # On request `license`: the one whose licence restricts least, so that `sampling.licenses` loses less to duplicates.
    priority: list[PriorityRule] = [rule for rule in get_args(PriorityRule) if rule != "license"]
    languages: list[str] = ["en"]  # ISO 639-1, preferred by the rule `language`, best first


class Decontamination(Section):
    """A question is dropped when any enabled rule matches a benchmark item. Shares are of the item's word n-grams."""

    benchmarks: list[str] = []  # whose items questions are compared with
    same_text: bool = True  # equal but for case and spaces
    same_template: bool = True  # numbers may differ: right for contest problems, wrong for arithmetic drills
    ngram: Literal[8, 13] = 13  # words of the n-grams that are counted
    ngram_share: Share = 0.5  # 0: any shared n-gram, as in common decontamination scripts
    wording: Share | None = 0.7  # of 3-grams with numbers masked: finds swapped names, moved sentences; null: off
    cosine: Share = 0.9  # of the embeddings
    reworded: Share | None = 0.75  # the cosine that suffices where the numbers match the item's; null: off
    # How a language model's confirmation counts below that cosine (`overlap.confirm` of instruments.yaml).
    confirmed: Literal["off", "both", "either"] = "off"
    confirmed_cosine: Share = 0.75  # from which on it is heeded


class Shares(Section):
    """Target proportions by difficulty or by category; groups not named are not downsampled."""

    difficulty: dict[Annotated[str, AfterValidator(_level)], Share] = {}  # {hard: 0.5, medium: 0.5}
    category: dict[Annotated[str, AfterValidator(_category)], Share] = {}  # {math: 0.6, coding: 0.4}

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.difficulty and self.category:
            raise ValueError("difficulty and category both have shares, which can't both hold: leave one of them empty")
        total = sum([*self.difficulty.values(), *self.category.values()])
        if total > 1 + 1e-9:
            raise ValueError(f"the shares add up to {total:g}, more than the whole: lower them to 1 together")
        return self


class SamplingPolicy(Section):
    """Which of the deduplicated questions the teacher is asked: those whose draw (a hash of the id, in [0, 1)) is below
    the rate of their group, times `share`."""

    later = ("pass_rates", "share")

    decontamination: Decontamination = Decontamination()
    languages: list[str] | None = None  # ISO 639-1; null keeps all
    # Questions that are cut off, or need what a text model is not shown.
    drop: list[Literal["incomplete", "url", "image", "table"]] = ["incomplete", "url", "image"]
    licenses: list[Annotated[str, AfterValidator(normalized)]] | None = None  # of the questions; null keeps all
    pass_rates: EarlierPassRates | None = None  # by how often the teacher solved a question in an earlier round
    # Share to keep of a difficulty, a category or a `category/difficulty`; 1 by default. A pair without its own rate
    # gets the product of its category's and its difficulty's.
    rates: dict[Group, Share] = {}
    # Instead of rates: target proportions. The selection is the largest one in that proportion: the group that is
    # scarcest for its share keeps all. Groups without rows are ignored; a share of 0 keeps none.
    shares: Shares = Shares()
    # Of what all other rules keep, by the same draw: the questions of a smaller share are among those of a larger one.
    share: Share = 1

    @field_validator("rates", "shares", mode="before")
    @classmethod
    def _null_resets(cls, value: Any) -> Any:
        """`null` resets what the extended recipe sets."""
        return {} if value is None else value

    @model_validator(mode="after")
    def _rates_or_shares(self) -> Self:
        if self.rates and (self.shares.difficulty or self.shares.category):
            raise ValueError("rates and shares both say how many to keep: set one of them to null")
        return self


class Example(Section):
    """A few-shot example, sent as two turns before questions of its kind; before every question where it has none."""

    user: str  # the question, with its suffix
    assistant: str  # its answer, in the form that is wanted
    kind: Literal["math", "code", "open"] | None = None  # null: before all


class TeacherPolicy(Section):
    """The teacher model, its prompts and its sampling parameters."""

    model: str  # as litellm spells it, or embedded/NAME
    published: bool = True  # use published responses, and request none for questions that have one
    samples: Samples = 1  # of each question: a number, or {least: 1, most: 8, until: pass}
    system_prompt: str = ""  # sent first
    math_suffix: str = ""  # put below questions with a reference
    code_suffix: str = ""  # put below questions with tests
    examples: list[Example] = []  # worked ones, sent before the question
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6  # of sampling
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95  # of sampling
    max_tokens: Annotated[int, Field(ge=1)] = 32_768  # of an answer, thinking included
    retry_max_tokens: Annotated[int, Field(ge=1)] | None = None  # one retry of truncated answers; null: none
    stop: list[str] = []  # texts that end an answer
    reasoning: dict[str, Any] = {}  # provider-specific reasoning options, sent unchanged: {reasoning_effort: high}

    @model_validator(mode="after")
    def _retry_above_limit(self) -> Self:
        if self.retry_max_tokens is not None and self.retry_max_tokens <= self.max_tokens:
            raise ValueError(f"retry_max_tokens {self.retry_max_tokens} is not above max_tokens {self.max_tokens}")
        return self


class VerificationPolicy(Section):
    """Which responses are kept: the format is checked first, then the evidence that `accept` names."""

    later = ("reference", "pass_rates")

    # best: tests, else the reference answer, and all constraints where there are any; else the reward. verified: the
    # same without the reward; responses that no verifier can check are dropped. consensus: verified, and where no
    # verifier can check, whether the answers to the question agree. reward: the reward only. all: the format only.
    accept: Literal["best", "verified", "consensus", "reward", "all"] = "best"
    min_share: Share = 0.75  # of the answers to a question, those with the result that counts as their consensus
    min_samples: Annotated[int, Field(ge=2)] = 4  # answers to a question below which they have no consensus
    # Forms of a response. paper: thought and answer in tags; plain: the thought in tags, then the answer.
    templates: Annotated[list[Literal["paper", "plain"]], Field(min_length=1)] = ["paper", "plain"]
    min_think_chars: Annotated[int, Field(ge=0)] = 1  # of the think part; 0 keeps responses that did not think
    max_repetition: Share = 0.3  # of word 8-grams
    max_consecutive: Share = 0.3  # of words, in phrases repeated in a row
    languages: list[str] | None = None  # ISO 639-1 of the answer; null keeps all; undetermined is kept
    max_prompt_share: Share = 1  # of the answer; 1: off; note that a multiple-choice answer is in the question
    # Whose findings in question or response drop it. All are measured, and counted in `verified_set` either way.
    screens: list[Screen] = ["secret", "personal_data", "self_naming", "cutoff_talk", "refusal"]
    keep_unverifiable: bool = False  # responses of which no verifier can say
    first_tests: Annotated[int, Field(ge=1)] | None = None  # how many of a question's tests count; null: all
    min_tests_passed: Share = 1  # of those
    # Which verdict on a math answer counts where a language model judged it too (`math.opinion` of instruments.yaml):
    # the verifier's, the judge's where there is one, a pass of either, or a pass of both.
    split: Literal["verifier", "judge", "either", "both"] = "verifier"
    reward_rule: Literal["deepdistill"] | None = None  # sets the next three
    min_reward: Share = 0.7  # of the weighted mean of the dimensions, scaled to 0 to 1
    weights: RewardWeights = RewardWeights()
    minima: RewardMinima = RewardMinima()
    keep: Literal["all", "first", "shortest", "best_reward"] = "all"  # which of several responses to a question
    reference: ReferencePolicy = ReferencePolicy()
    pass_rates: PassRates = PassRates()
    # Alert thresholds of the asset checks; they drop nothing.
    min_pass_rate: Share = 0.5
    max_unverifiable: Share = 0.2  # of verdicts
    max_disagreement: Share = 0.3  # of responses with a verdict of both verifier and judge
    max_repetitive: Share = 0.1  # of responses
    max_screened: Share = 0.02  # of responses with a finding of any screen, whether it drops them or not
    max_drift: Share = 0.1  # of any of these shares, from one materialization to the next

    @model_validator(mode="before")
    @classmethod
    def _apply_rule(cls, content: Any) -> Any:
        rule = content.get("reward_rule") if isinstance(content, dict) else None
        return {**REWARD_RULES[rule], **content} if rule in REWARD_RULES else content

    @model_validator(mode="after")
    def _matches_rule(self) -> Self:
        for field, value in REWARD_RULES.get(self.reward_rule or "", {}).items():
            if getattr(self, field) != value:
                raise ValueError(
                    f"{field} is not what reward_rule {self.reward_rule} says: leave it out, or set reward_rule to null"
                )
        return self

    def _silent(self) -> set[str]:
        return super()._silent() | (set() if self.accept == "consensus" else {"min_share", "min_samples"})


class ReleasePolicy(Section):
    """What is written beside the rows of the released dataset."""

    license: Annotated[str, AfterValidator(normalized)] | None = None  # null: the strictest of its rows
    jsonl: bool = False  # the schema of AM-DeepSeek-R1-Distilled too, in a folder jsonl
    extra: bool = False  # the columns that sources carry along by `keep`


class TrainingPolicy(Section):
    """The student model and the hyperparameters of its fine-tuning."""

    later = ("group_by_length", "max_loss_rise", "parameters", "optimizer", "loss", "lora")

    student: str  # a folder, a name on the hub, or the bundled model
    system_prompt: str = ""  # of the rows it is trained on
    epochs: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1  # over the released rows
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 8e-5  # at its peak
    batch_size: Annotated[int, Field(ge=1)] = 64  # sequences of a step
    max_length: Annotated[int, Field(ge=16)] = 32_768  # tokens; longer rows are skipped and counted
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.05  # of the steps
    schedule: Literal["cosine", "linear", "constant"] = "cosine"  # of the learning rate
    packing: bool = False  # several rows in one sequence
    gradient_checkpointing: bool = True  # computes activations twice, to hold fewer
    group_by_length: bool = False  # rows of similar length share a batch, so that less of it is padding
    # Stops a training whose loss stays above so many times its running median; null: never. Changes no weights.
    max_loss_rise: Annotated[float, Field(gt=1)] | None = 4
    dtype: Literal["bfloat16", "float32", "auto"] = "bfloat16"  # auto: bfloat16 where the device has it
    parameters: Literal["float32", "bfloat16"] = "float32"  # what the optimizer updates; the loss of bits shows late
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"  # 8 bits for its state
    loss: Literal["nll", "dft"] = "nll"  # dft: likely tokens weigh more (arXiv 2508.05629)
    lora: Lora | None = None  # train adapters, which are merged into the checkpoint; null: all parameters
    seed: Annotated[int, Field(ge=0)] = 0  # of the order of rows

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.parameters == "bfloat16" and self.dtype != "bfloat16":
            raise ValueError(f"parameters: bfloat16 can't be computed with in dtype {self.dtype}: set it to bfloat16")
        if self.packing and self.group_by_length:
            raise ValueError(
                "group_by_length: rows that are packed fill their sequences anyway: set it or packing to false"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """What the weights depend on."""
        return {name: value for name, value in self.model_dump().items() if name != "max_loss_rise"}


class Recipe(Section):
    """All policies of one recipe file."""

    dedup: DedupPolicy = DedupPolicy()
    sampling: SamplingPolicy = SamplingPolicy()
    teacher: TeacherPolicy
    verification: VerificationPolicy = VerificationPolicy()
    release: ReleasePolicy = ReleasePolicy()
    preference: PreferencePolicy = PreferencePolicy()
    rl: RlPolicy = RlPolicy()
    training: TrainingPolicy
    evaluation: EvaluationPolicy = EvaluationPolicy()


SECTIONS = list(Recipe.model_fields)
