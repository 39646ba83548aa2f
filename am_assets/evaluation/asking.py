"""What a student is asked of each item of a benchmark, sample by sample, and what its answers are compared with.

The items are those of `BenchmarkQuestions`; how one is asked stands in its `prompt`. Options of multiple choice stand
in another order in each sample (`datasets/options.py`), and the reference is the letter that is right in that order.
"""

import json
import re
from collections.abc import Callable

import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.config.files import Section
from am_assets.config.instruments import Code
from am_assets.datasets import options
from am_assets.datasets.adapters.base import with_parts, with_starter

VERSION = "2"  # raise when the same items are asked otherwise, or their answers compared with something else
FIELD = re.compile(r"\{(question|options|starter)\}")
BOX = re.compile(r"\\(?:boxed|fbox)\b")
LEFT, RIGHT, DASH = r"[ \t$*_({\[<\"'`]*", r"[ \t$*_)}\]>.:\"'`]*", r"[\u2013\u2014-]"
# "(A) or (B)" names none.
ANOTHER = rf"{RIGHT}(?:[,/&]|{DASH}|or\b|and\b|(?=[(\[]))[ \t]*(?:maybe|perhaps|possibly)?{LEFT}[A-J]\b{RIGHT}$"
# "**Answer:** (D)", "Answer: $\boxed{D}$", "the answer is D) none of them", 'Answer: "D"', "Answer: D - none"; not
# "Answer: A decrease".
LETTER = re.compile(
    r"(?i:\banswer)[*_]*[ \t]*(?:[:\uff1a]|is\b:?)[ \t*_]*[$(]*(?:\\(?:boxed|text\w*|math\w+)\s*\{)*[(\[<\"'`]?([A-J])"
    rf"(?!{ANOTHER})(?:[).:\]>\"'`]|[ \t]+{DASH}[ \t]|(?=[\s$*_}})\].,;]*$))",
    re.MULTILINE,
)


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


def compared(answers: pl.DataFrame) -> pl.DataFrame:
    """`answers` (item_id, sample_index, answer, options, reference_answer and any others) as they are compared with
    references: what an answer commits itself to (`committed`), and where there are options the letter that is right in
    its sample and the option's text, either of which it may give."""
    read: dict[str, list[str | None]] = {"answer": [], "reference_answer": []}
    columns = ("item_id", "sample_index", "answer", "options", "reference_answer")
    for item_id, sample, answer, texts, reference in answers.select(columns).iter_rows():
        if texts:
            _, letter = options.shuffled(texts, item_id, sample)
            reference = f"({letter}) {texts[0]}"
        read["answer"].append(committed(answer, bool(texts)) if reference and answer else answer)
        read["reference_answer"].append(reference)
    return answers.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in read.items())


def chosen(answers: pl.DataFrame, said: Callable[[str], str | None]) -> pl.DataFrame:
    """(response_id, result, equal_to) of `answers` (response_id, item_id, sample_index, answer, options): the option
    that each names by its letter in that sample or by its text, as `said` reads it; null where it names none."""
    result = []
    for item_id, sample, answer, texts in answers.select("item_id", "sample_index", "answer", "options").iter_rows():
        order, _ = options.shuffled(texts, item_id, sample)
        read = said(answer or "")
        result.append(dict(zip(options.LETTERS, order, strict=False)).get(read or "", read if read in order else None))
    named = pl.Series("result", result, dtype=pl.String)
    return answers.select("response_id", named, named.alias("equal_to"))


def committed(answer: str, chosen: bool) -> str:
    """What counts of an answer, as prompts of benchmarks say and others read it: of options the letter behind the last
    `Answer:` or `answer is`; of several lines with boxes the last one and what follows it; else all of it.

    >>> committed("Answer: A? No.\\n\\nAnswer: D) none of them", True)
    'Answer: D'
    """
    if chosen and (letters := LETTER.findall(answer)):
        return f"Answer: {letters[-1]}"
    boxes = [box.start() for box in BOX.finditer(answer)]
    line = answer.rfind("\n", 0, boxes[-1]) + 1 if boxes else 0
    return answer[line:] if boxes and boxes[0] < line else answer


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
