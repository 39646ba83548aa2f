"""Benchmark items in other words, by a language model: the contamination that shares no run of words with its item.

A small model slips, so a paraphrase counts only where a mechanical rule finds it to be one (`fault`); of several
samples of an item the first that passes counts.
"""

import json
import re
from difflib import SequenceMatcher
from pathlib import Path

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ANSWER, ask
from am_assets.storage.memo import Memo, with_keys

LONGEST = 500  # characters; longer items mostly hold a drawing or a table, which no small model can reword
MOST_ALIKE = 0.85  # of the words in their order: above it the text was hardly touched
SYSTEM = """\
You reword exam problems. Say every sentence in different words and change the sentence structure. Keep every number, \
formula and condition, and ask for the same thing. Do not solve the problem. Reply with the reworded problem only."""
EXAMPLES = [
    (
        "Tom has 12 apples. He gives a third of them to Ann and eats 2. How many apples are left?",
        "After handing a third of his 12 apples over to Ann, Tom eats 2 more. What number of apples does he still"
        " have?",
    ),
    (
        "Find the largest prime $p$ such that $p$ divides $2^{12} - 1$.",
        "Among all prime divisors of $2^{12} - 1$, which one is the greatest?",
    ),
    (
        "A shop sells pens for $3 each and rulers for $5 each. Mia bought 4 pens and 7 rulers. How much did she pay?",
        "Mia went home with 4 pens, each costing $3, and 7 rulers, priced at $5 apiece. What was her total bill?",
    ),
]
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
IN_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
SPELLED = re.compile(rf"\b({'|'.join(IN_WORDS)})\b", re.IGNORECASE)
SOLVED = re.compile(r"\\boxed|####|\banswer is\b|\bsolution:|\btherefore\b", re.IGNORECASE)
ASKS = re.compile(r"\?|\b(what|how|which|find|calculate|determine|compute|evaluate|simplify|express)\b", re.IGNORECASE)


def chosen(items: pl.DataFrame, count: int) -> pl.DataFrame:
    """`count` of `items` (item_id, question) spread evenly over those that can be reworded."""
    drawn = pl.col("question").str.contains("[asy]", literal=True)
    fit = items.filter(pl.col("question").str.len_chars() <= LONGEST, ~drawn)
    return fit.gather_every(max(fit.height // count, 1)).head(count)


def paraphrases(items: pl.DataFrame, samples: int, gguf: Path, cache: Path) -> pl.DataFrame:
    """item_id, question (reworded), fault (why it is no paraphrase, else null) of `items` (item_id, question).

    The model in the file `gguf` is asked `samples` times an item for what the memo in `cache` does not know.
    """
    model = f"embedded/{gguf.stem}"
    messages = [json.dumps(_messages(question)) for question in items["question"]]
    wanted = pl.concat(
        items.select(
            "item_id",
            original="question",
            messages=pl.Series(messages, dtype=pl.String),
            sampling=pl.lit(json.dumps({"temperature": 0.5, "seed": sample, "max_tokens": 256})),
        )
        for sample in range(samples)
    )
    wanted = with_keys(wanted, "messages", "sampling", identity=model)
    endpoint = Endpoint(gguf=str(gguf), context=1024, concurrency=4)
    filled = Memo(cache).fill("paraphrases", wanted, lambda missing: ask(missing, model, [endpoint]), ANSWER)
    reworded = filled.table.select("item_id", "original", question=pl.col("text").str.strip_chars())
    faults = [fault(*texts) for texts in reworded.select("original", "question").iter_rows()]
    return (
        reworded.select("item_id", "question", fault=pl.Series(faults, dtype=pl.String))
        .sort("item_id", pl.col("fault").is_not_null(), maintain_order=True)
        .unique("item_id", keep="first", maintain_order=True)
    )


def fault(original: str, reworded: str) -> str | None:
    """Why `reworded` is no paraphrase of `original`: it must hold the same numbers, half to twice as many words, ask
    for something, not be solved, and differ in its words."""
    if _numbers(original) != _numbers(reworded):
        return "other numbers"
    before, after = original.lower().split(), reworded.lower().split()
    if not 0.5 <= len(after) / len(before) <= 2:
        return "other length"
    if not ASKS.search(reworded):
        return "asks nothing"
    if SOLVED.search(reworded):
        return "solved"
    return "hardly reworded" if SequenceMatcher(None, before, after, autojunk=False).ratio() > MOST_ALIKE else None


def _numbers(text: str) -> set[str]:
    """The distinct numbers, in digits or in words; 1 does not count, as "one" is mostly no number."""
    digits = SPELLED.sub(lambda word: str(IN_WORDS.index(word.group().lower())), text)
    return {number.replace(",", "") for number in NUMBER.findall(digits)} - {"1"}


def _messages(question: str) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": SYSTEM}]
    for problem, reworded in EXAMPLES:
        messages += [{"role": "user", "content": _asked(problem)}, {"role": "assistant", "content": reworded}]
    return [*messages, {"role": "user", "content": _asked(question)}]


def _asked(problem: str) -> str:
    numbers = ", ".join(dict.fromkeys(NUMBER.findall(problem)))
    return f"{problem}\n(Keep these numbers: {numbers or 'none'})"
