"""Every threshold of every decision, typed: a `Recipe` and its policies.

A recipe is one YAML file under `data/recipes/`; it may `extends:` another and then names only what differs. Unknown
keys and values out of range are errors that name the file and the field. What *measures* (label model, embedder,
judge, verifier limits) is no recipe's business: see `instruments.py`. Where a model is reached, how many requests run
at once and what they cost at most is neither: see `engines/llm/`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from am_assets.config.files import ConfigError, Section, merge, parse, read_yaml
from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Score = Annotated[int, Field(ge=0, le=4)]


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
    """Which of several similar questions stands for the others."""

    threshold: Share = 0.95
    # Earlier entries weigh more; ties end at the question id. The paper's figure lists these rules without their order.
    priority: list[Literal["has_check", "published", "difficulty", "complete", "language", "source_rank"]] = [
        "has_check",
        "published",
        "difficulty",
        "complete",
        "language",
        "source_rank",
    ]
    languages: list[str] = ["en"]  # ISO 639-1; what the rule `language` prefers, best first


class Decontamination(Section):
    """A question goes when any rule that is on finds a benchmark item. Shares are of the item's word n-grams."""

    benchmarks: list[str] = []
    same_text: bool = True
    same_template: bool = True  # numbers may differ: right for contest problems, wrong for drilled arithmetic
    ngram: Literal[8, 13] = 13
    ngram_share: Share = 0.5  # 0 for any shared gram, the usual script's rule
    wording: Share | None = 0.7  # of 3-grams without their numbers: names swapped, sentences moved; null for off
    cosine: Share = 0.9
    reworded: Share | None = 0.75  # the cosine that does where the numbers are the item's too; null for off
    # What a language model's opinion counts under that cosine (`overlap.confirm` of instruments.yaml asks it).
    confirmed: Literal["off", "both", "either"] = "off"
    confirmed_cosine: Share = 0.75


class Shares(Section):
    """Of the selection, by difficulty or by category; groups not named are outside the proportion and keep all."""

    difficulty: dict[Annotated[str, AfterValidator(_level)], Share] = {}
    category: dict[Annotated[str, AfterValidator(_category)], Share] = {}

    @model_validator(mode="after")
    def _one_whole(self) -> Self:
        if self.difficulty and self.category:
            raise ValueError("difficulty and category both have shares, which can't both hold: leave one of them empty")
        total = sum([*self.difficulty.values(), *self.category.values()])
        if total > 1 + 1e-9:
            raise ValueError(f"the shares add up to {total:g}, more than the whole: lower them to 1 together")
        return self


class SamplingPolicy(Section):
    """Which of the deduplicated questions are asked. Every question has one draw in [0, 1), from its id alone, and is
    kept where the draw lies below the rate of its group."""

    decontamination: Decontamination = Decontamination()
    languages: list[str] | None = None  # ISO 639-1; null keeps all
    drop: list[Literal["incomplete", "url", "image", "table"]] = ["incomplete", "url", "image"]
    # Share kept of a difficulty, a category or a `category/difficulty`; 1 where not named. A pair that is named has
    # that rate, any other the product of its category's and its difficulty's.
    rates: dict[Group, Share] = {}
    # Instead of rates: what part each group is to have. The largest selection in that proportion: the group scarcest
    # for its share keeps all. A group without rows has no say, a share of 0 keeps none.
    shares: Shares = Shares()

    @field_validator("rates", "shares", mode="before")
    @classmethod
    def _taken_back(cls, value: Any) -> Any:
        """`null` takes back what an extended recipe says."""
        return {} if value is None else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.rates and (self.shares.difficulty or self.shares.category):
            raise ValueError("rates and shares both say how many to keep: set one of them to null")
        return self


class Example(Section):
    """A worked example, sent as two turns before questions of its kind; before all where it names none."""

    user: str
    assistant: str
    kind: Literal["math", "code", "open"] | None = None


class TeacherPolicy(Section):
    model: str
    published: bool = True  # published responses count, and spare the question a new one
    samples: Annotated[int, Field(ge=0, le=64)] = 1
    system_prompt: str = ""
    math_suffix: str = ""
    code_suffix: str = ""
    examples: list[Example] = []
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_tokens: Annotated[int, Field(ge=1)] = 32_768
    retry_max_tokens: Annotated[int, Field(ge=1)] | None = None  # one more try for answers cut off; null for none
    stop: list[str] = []
    reasoning: dict[str, Any] = {}  # the provider's own reasoning options, sent as they stand: {reasoning_effort: high}

    @model_validator(mode="after")
    def _more_room_than_before(self) -> Self:
        if self.retry_max_tokens is not None and self.retry_max_tokens <= self.max_tokens:
            raise ValueError(f"retry_max_tokens {self.retry_max_tokens} is not above max_tokens {self.max_tokens}")
        return self


class RewardWeights(Section):
    """How much a dimension counts; at least one of them must."""

    correctness: Weight = 1
    helpfulness: Weight = 1
    coherence: Weight = 1
    complexity: Weight = 0
    verbosity: Weight = 0

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every weight is 0: name at least one dimension that counts")
        return self


class RewardMinima(Section):
    """The least score, 0 to 4, that a dimension must have, whatever the others are."""

    correctness: Score = 0
    helpfulness: Score = 0
    coherence: Score = 0
    complexity: Score = 0
    verbosity: Score = 0


# Rules for rewards that have a name: what they set. The paper itself discloses none.
REWARD_RULES: dict[str, dict[str, Any]] = {
    # DeepDistill, the same team's later paper: (coherence + correctness + helpfulness) / 12 above 0.7.
    "deepdistill": {"weights": RewardWeights(), "minima": RewardMinima(), "min_reward": 0.7},
}


class VerificationPolicy(Section):
    """Which responses stay. First the form has to hold, then the evidence that `accept` names has to pass."""

    # best: tests, else the reference answer, and all constraints where there are some; else the reward. verified: the
    # same, and no response that none of them can check. reward: the reward alone, whatever a verifier says. all: the
    # form is enough.
    accept: Literal["best", "verified", "reward", "all"] = "best"
    templates: Annotated[list[Literal["paper", "plain"]], Field(min_length=1)] = ["paper", "plain"]
    max_repetition: Share = 0.3  # of word 8-grams
    max_consecutive: Share = 0.3  # of words, in phrases said over and over
    languages: list[str] | None = None  # ISO 639-1 of the answer; null keeps all; what can't be told stays
    max_prompt_share: Share = 1  # of the answer; 1 for off: an option chosen from several stands in the question too
    keep_unverifiable: bool = False
    first_tests: Annotated[int, Field(ge=1)] | None = None  # how many of a question's tests count; null for all
    min_tests_passed: Share = 1  # of those
    # Whose word counts where a language model was asked of a math answer too (`math.opinion` of instruments.yaml asks):
    # the verifier's alone, the judge's where there is one, a pass from either, or a pass from both.
    split: Literal["verifier", "judge", "either", "both"] = "verifier"
    reward_rule: Literal["deepdistill"] | None = None  # sets the next three
    min_reward: Share = 0.7  # of the weighted mean of the dimensions, scaled to 0 to 1
    weights: RewardWeights = RewardWeights()
    minima: RewardMinima = RewardMinima()
    keep: Literal["all", "first", "shortest", "best_reward"] = "all"
    # Alerts, not cuts: what the asset checks hold the recipe to.
    min_pass_rate: Share = 0.5
    max_unverifiable: Share = 0.2
    max_disagreement: Share = 0.3  # of responses that verifier and judge both spoke of
    max_repetitive: Share = 0.1
    max_drift: Share = 0.1  # of any of these shares, from one materialization to the next

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, content: Any) -> Any:
        rule = content.get("reward_rule") if isinstance(content, dict) else None
        return {**REWARD_RULES[rule], **content} if rule in REWARD_RULES else content

    @model_validator(mode="after")
    def _as_named(self) -> Self:
        for field, value in REWARD_RULES.get(self.reward_rule or "", {}).items():
            if getattr(self, field) != value:
                raise ValueError(
                    f"{field} is not what reward_rule {self.reward_rule} says: leave it out, or set reward_rule to null"
                )
        return self


class TrainingPolicy(Section):
    student: str
    system_prompt: str = ""
    epochs: Annotated[float, Field(gt=0)] = 1
    learning_rate: Annotated[float, Field(gt=0)] = 8e-5
    batch_size: Annotated[int, Field(ge=1)] = 64
    max_length: Annotated[int, Field(ge=16)] = 32_768  # tokens; longer rows are left out and counted
    warmup_share: Share = 0.05
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    packing: bool = False
    gradient_checkpointing: bool = True
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    seed: int = 0


class EvaluationPolicy(Section):
    benchmarks: list[str] = []
    system_prompt: str = ""
    samples: Annotated[int, Field(ge=1, le=64)] = 4
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.6
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_tokens: Annotated[int, Field(ge=1)] = 32_768
    seed: int = 0

    def sampling(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}


class Recipe(Section):
    dedup: DedupPolicy = DedupPolicy()
    sampling: SamplingPolicy = SamplingPolicy()
    teacher: TeacherPolicy
    verification: VerificationPolicy = VerificationPolicy()
    training: TrainingPolicy
    evaluation: EvaluationPolicy = EvaluationPolicy()


SECTIONS = list(Recipe.model_fields)


def read_recipe(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The recipe's content with what it extends laid under it."""
    if path in below:
        raise ConfigError(f"{path}: extends: goes in a circle: {' -> '.join(p.stem for p in (*below, path))}")
    content = read_yaml(path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    return merge(read_recipe(path.with_name(f"{parent}.yaml"), (*below, path)), content)


def load_recipe(path: Path) -> Recipe:
    return parse(Recipe, read_recipe(path), str(path))


def load_recipes(folder: Path) -> tuple[dict[str, Recipe], dict[str, str]]:
    """All recipes of a folder by name, in alphabetical order, and what is wrong with those that can't be read."""
    recipes: dict[str, Recipe] = {}
    broken: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            recipes[path.stem] = load_recipe(path)
        except ConfigError as error:
            broken[path.stem] = str(error)
    if not recipes and not broken:
        raise ConfigError(f"{folder}: no recipe (*.yaml) here")
    return recipes, broken
