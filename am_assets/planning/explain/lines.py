"""Which line of a recipe spoke: the field behind a drop reason, its value, and the file that sets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from am_assets.config.files import read_yaml
from am_assets.config.recipe import REWARD_RULES, SamplingPolicy, read_recipe
from am_assets.config.vocabulary import REWARD_DIMENSIONS

RULES = "sampling.decontamination"
# By drop reason the fields that it may stem from. The first whose words are in the detail is the line that decided.
FIELDS: dict[str, list[tuple[str, str]]] = {
    "exact_duplicate": [("", "dedup.priority")],
    "near_duplicate": [("", "dedup.threshold"), ("", "dedup.priority")],
    "contaminated": [
        ("-grams of ", f"{RULES}.ngram_share"),
        ("-grams of ", f"{RULES}.ngram"),
        (" of the wording of ", f"{RULES}.wording"),
        ("same numbers and ", f"{RULES}.reworded"),
        ("confirmed at ", f"{RULES}.confirmed"),
        ("confirmed at ", f"{RULES}.confirmed_cosine"),
        ("cosine ", f"{RULES}.cosine"),
        ("text but for numbers of ", f"{RULES}.same_template"),
        ("text of ", f"{RULES}.same_text"),
        ("", f"{RULES}.benchmarks"),
    ],
    "unsuitable": [("language ", "sampling.languages"), ("", "sampling.drop")],
    "truncated": [("", "teacher.max_tokens")],
    "malformed": [("", "verification.templates")],
    "repetitive": [("repetition ", "verification.max_repetition"), ("consecutive ", "verification.max_consecutive")],
    "other_language": [("", "verification.languages")],
    "leaked": [("", "verification.max_prompt_share")],
    "unchecked": [("", "verification.accept")],
    "wrong_answer": [("judge: ", "verification.split"), ("", "verification.accept")],
    "failed_tests": [("", "verification.accept")],
    "broken_constraints": [("", "verification.accept")],
    "unverifiable": [("judge: ", "verification.split"), ("", "verification.keep_unverifiable")],
    "low_reward": [
        ("reward ", "verification.min_reward"),
        *((f"{name} ", f"verification.minima.{name}") for name in REWARD_DIMENSIONS),
        ("", "verification.weights"),
    ],
    "not_chosen": [("", "verification.keep")],
}


@dataclass(frozen=True)
class Line:
    """A field of a recipe with the value that was used, and where the file as it stands now sets it to what."""

    field: str
    value: Any
    where: str
    now: Any

    @property
    def outdated(self) -> bool:
        return self.value != self.now


def fields_of(reason: str, detail: str, sampling: SamplingPolicy, group: tuple[str, str]) -> list[str]:
    """The fields behind a drop reason; none where no recipe has a say (a defective row). `group`: category and
    difficulty of the question."""
    if reason == "downsampled":
        return list(rate_fields(sampling, *group))
    return [field for words, field in FIELDS.get(reason, []) if words in detail][:1]


def rate_fields(sampling: SamplingPolicy, category: str, difficulty: str) -> Iterator[str]:
    """What sets the part that is kept of a category and difficulty; nothing where all are."""
    pair = f"{category}/{difficulty}"
    for name in [pair] if pair in sampling.rates else dict.fromkeys([category, difficulty]):
        if name in sampling.rates:
            yield f"sampling.rates.{name}"
    for dimension, name in {"category": category, "difficulty": difficulty}.items():
        if name in getattr(sampling.shares, dimension):
            yield f"sampling.shares.{dimension}.{name}"


def lines(fields: list[str], used: Mapping[str, Any], now: Mapping[str, Any], folder: Path, recipe: str) -> list[Line]:
    """`used` and `now` are the whole recipe as the decision read it and as its file says it."""
    return [Line(field, _at(used, field), set_in(folder, recipe, field), _at(now, field)) for field in fields]


def set_in(folder: Path, recipe: str, field: str) -> str:
    """The file whose line gives a field its value: the recipe's own, one that it extends, or none."""
    name: str | None = recipe
    while name is not None:
        content = read_yaml(folder / f"{name}.yaml")
        if _at(content, field) is not None:
            return _short(folder, name) + ("" if name == recipe else f", which {recipe} extends")
        name = content.get("extends")
    section, _, inner = field.partition(".")
    rule = _at(read_recipe(folder / f"{recipe}.yaml"), "verification.reward_rule")
    if section == "verification" and inner.split(".")[0] in REWARD_RULES.get(rule, {}):
        return f"reward_rule: {rule} in {set_in(folder, recipe, 'verification.reward_rule')}"
    return "by default"


def _short(folder: Path, name: str) -> str:
    return f"{folder.parent.name}/{folder.name}/{name}.yaml"


def _at(content: Any, field: str) -> Any:
    """The value at a path. A name may hold dots nowhere, but slashes: rates have pairs as names."""
    for name in field.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content
