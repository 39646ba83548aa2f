"""Category and difficulty labels by a language model: the prompt, and parsing of its answers.

The paper names the categories and five levels of difficulty but not its prompt, so this one is ours. Sending requests
belongs to `engines/llm/`. Nothing is guessed: an answer that cannot be parsed is `unlabelled`.
"""

import json
from typing import Any

import polars as pl

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED
from am_assets.engines.llm.structured import read_object

VERSION = "1"  # raise when the messages or the reading change
MAX_CHARS = 2000  # of a question: its beginning suffices, and the context of a labeler may be short

LABEL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"category": {"enum": CATEGORIES}, "difficulty": {"enum": DIFFICULTIES}},
    "required": ["category", "difficulty"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "label", "strict": True, "schema": LABEL_SCHEMA}}

SYSTEM = "Label each question with its category and difficulty as JSON."
# Few-shot examples, which a small model follows better than a description. Every label occurs. Coding comes last: the
# small labeler is biased to the first and most frequent label, and in other orders hardly ever chose this one.
EXAMPLES = [
    ("Tom has 12 apples and buys 7 more. How many apples does Tom have?", "math", "very_easy"),
    ("Why do leaves turn red in autumn?", "information_seeking", "easy"),
    ("Prove that there are infinitely many primes of the form 4k + 3.", "math", "very_hard"),
    ("Write a poem about the sea.", "creative_writing", "medium"),
    ("All cats are mammals. Tom is a cat. Is Tom a mammal?", "reasoning", "easy"),
    ("Hello! How are you today?", "others", "very_easy"),
    ("Plan a week of meals for two.", "planning", "medium"),
    ("Implement an LRU cache with O(1) get and put.", "coding", "hard"),
    ("Write a Python function that merges two sorted lists.", "coding", "medium"),
    ("Implement a function `solve(board)` that fills in a sudoku.", "coding", "hard"),
    ("Write `is_even(n)`: True when n is even.", "coding", "very_easy"),
    ("Write `reverse_words(text)` that reverses the order of the words.", "coding", "easy"),
]


def label_messages(question: str) -> list[dict[str, str]]:
    """The chat that asks for the label of `question`, truncated to `MAX_CHARS` characters.

    The prefix before the question is constant, so that a server can cache it.
    """
    messages = [{"role": "system", "content": SYSTEM}]
    for text, category, difficulty in EXAMPLES:
        label = json.dumps({"category": category, "difficulty": difficulty}, separators=(",", ":"))
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
    return [*messages, {"role": "user", "content": question[:MAX_CHARS]}]


def label_requests(questions: pl.DataFrame, model: str, max_tokens: int) -> pl.DataFrame:
    """Requests for `questions` (question_id, question): one each, with model, messages, sampling and sample_index."""
    sampling = {"temperature": 0, "max_tokens": max_tokens, "response_format": RESPONSE_FORMAT}
    messages = [json.dumps(label_messages(text), ensure_ascii=False) for text in questions["question"]]
    return questions.select(
        "question_id",
        pl.Series("messages", messages, dtype=pl.String),
        model=pl.lit(model),
        sampling=pl.lit(json.dumps(sampling, sort_keys=True)),
        sample_index=pl.lit(0),
    )


def parse_label(text: str) -> tuple[str, str] | None:
    """(category, difficulty) of an answer with the requested JSON, alone or fenced; else None.

    >>> parse_label('{"category": "math", "difficulty": "easy"}')
    ('math', 'easy')
    """
    label = read_object(text) or {}
    category, difficulty = label.get("category"), label.get("difficulty")
    return (category, difficulty) if category in CATEGORIES and difficulty in DIFFICULTIES else None


def label_table(raw: pl.DataFrame, model: str) -> pl.DataFrame:
    """QuestionLabels of `raw` (question_id, text: the model's answer), sorted by question_id."""
    unread = (UNLABELLED, UNLABELLED)
    labels = [parse_label(text) or unread for text in raw["text"]]
    return raw.select(
        "question_id",
        pl.Series("category", [category for category, _ in labels], dtype=pl.Enum([*CATEGORIES, UNLABELLED])),
        pl.Series("difficulty", [difficulty for _, difficulty in labels], dtype=pl.Enum([*DIFFICULTIES, UNLABELLED])),
        label_model=pl.lit(model),
        label_raw="text",
    ).sort("question_id")


def mix(labelled: pl.DataFrame) -> pl.DataFrame:
    """(category, difficulty, questions): counts of all pairs of values in QuestionLabels, hardest first."""
    counts = labelled.group_by("category", "difficulty").agg(questions=pl.len())
    categories, difficulties = (labelled.select(pl.col(name).unique().sort()) for name in ("category", "difficulty"))
    pairs = difficulties.reverse().join(categories, how="cross")
    all_pairs = pairs.join(counts, on=["category", "difficulty"], how="left", maintain_order="left")
    return all_pairs.select(pl.col("category", "difficulty").cast(pl.String), pl.col("questions").fill_null(0))
