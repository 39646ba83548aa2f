"""What a student is asked of each item of a benchmark, sample by sample, and what its answers are compared with.

The items are those of `BenchmarkQuestions`; how one is asked stands in its `prompt`. Options of multiple choice stand
in another order in each sample (`datasets/options.py`), and the reference is the letter that is right in that order.
"""

import json
import re

import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.config.files import Section
from am_assets.config.instruments import Code
from am_assets.datasets import options
from am_assets.datasets.adapters.base import with_parts, with_starter

VERSION = "1"  # raise when the same items are asked otherwise, or their answers compared with something else
FIELD = re.compile(r"\{(question|options|starter)\}")


def prompts(items: pl.DataFrame, policy: EvaluationPolicy) -> pl.DataFrame:
    """One row per wanted answer: item_id, sample_index, messages (JSON), seed."""
    system = [{"role": "system", "content": policy.system_prompt}] if policy.system_prompt else []
    rows = [
        (item["item_id"], sample, json.dumps([*system, _turn(item, sample)], ensure_ascii=False))
        for item in items.select("item_id", "question", "options", "starter", "prompt").iter_rows(named=True)
        for sample in range(policy.samples)
    ]
    schema = {"item_id": pl.String, "sample_index": pl.UInt16, "messages": pl.String}
    asked = pl.DataFrame(rows, schema, orient="row")
    return asked.with_columns(seed=pl.col("sample_index").cast(pl.Int64) + policy.seed)


def references(answers: pl.DataFrame) -> pl.DataFrame:
    """`answers` (item_id, sample_index, options, reference_answer and any others) with the reference of their sample:
    where there are options the letter that is right in it and the option's text, either of which an answer may give."""
    chosen = answers.filter(pl.col("options").is_not_null()).select("item_id", "sample_index", "options")
    labelled = []
    for item_id, sample, texts in chosen.unique(["item_id", "sample_index"]).iter_rows():
        _, letter = options.shuffled(texts, item_id, sample)
        labelled.append((item_id, sample, f"({letter}) {texts[0]}"))
    key = {"item_id": pl.String, "sample_index": answers.schema["sample_index"]}
    right = pl.DataFrame(labelled, {**key, "right": pl.String}, orient="row")
    joined = answers.join(right, on=[*key], how="left", maintain_order="left")
    return joined.with_columns(reference_answer=pl.coalesce("right", "reference_answer")).drop("right")


def limits(section: Section, items: pl.DataFrame) -> Section:
    """A section of the instruments as it is for a benchmark: `code` with the limits that its items name."""
    own = items["limits"].drop_nulls().unique()
    if not isinstance(section, Code) or own.is_empty():
        return section
    [said] = own
    return Code.model_validate(section.model_dump() | json.loads(said))


def _turn(item: dict, sample: int) -> dict[str, str]:
    return {"role": "user", "content": asked(item, sample)}


def asked(item: dict, sample: int) -> str:
    """The text of a sample. What the prompt has no place for stands below the question, as a pool shows it."""
    prompt = item["prompt"] or "{question}"
    shown = options.shown(options.shuffled(item["options"], item["item_id"], sample)[0]) if item["options"] else ""
    question = item["question"]
    if shown and "{options}" not in prompt:
        question = with_parts(question, shown)
    if item["starter"] and "{starter}" not in prompt:
        question = with_starter(question, item["starter"])
    values = {"question": question, "options": shown, "starter": item["starter"] or ""}
    return FIELD.sub(lambda field: values[field[1]] or "", prompt)
