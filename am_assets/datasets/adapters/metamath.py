"""MetaMathQA: rewritten questions of GSM8K and MATH with a solution whose last sentence has the answer."""

import re
from dataclasses import replace

from am_assets.datasets.adapters.base import Adapter, Item, Row, Said, of_columns

ANSWER = re.compile(r"[Tt]he answer is:?\s*(.+?)\s*\.?\s*\Z")  # on the last line
COLUMNS = of_columns(
    "query",
    Said("response"),
    version="1",
    doc="[MetaMathQA](https://huggingface.co/datasets/meta-math/MetaMathQA); the reference is what follows `The answer"
    " is`, the entry names the `teacher`",
    signature=("query", "original_question", "response"),
    example={
        "type": "GSM_Rephrased",
        "query": "How much are 17 and 25?",
        "original_question": "Compute 17+25.",
        "response": "17 + 25 = 42.\nThe answer is: 42",
    },
)


def reference_in(solution: str) -> str | None:
    """What follows "The answer is" on the last line of a worked solution.

    >>> reference_in("6 * 7 = 42. The answer is 42")
    '42'
    """
    *_, last = solution.strip().splitlines() or [""]
    found = ANSWER.search(last)
    return found[1].strip("$ ") if found else None


def with_reference(columns: Adapter) -> Adapter:
    """The adapter, with the reference that is in the response."""

    def read(row: Row) -> Item:
        return replace(columns.read(row), reference_answer=reference_in(row.text("response") or ""))

    return replace(columns, read=read)


ADAPTER = with_reference(COLUMNS)
