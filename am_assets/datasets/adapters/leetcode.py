"""LeetCodeDataset: a problem, the beginning of a class, and a check of its method."""

import re

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, fields, humaneval_tests, with_starter

NODES = re.compile(r"\b(?:list_node|tree_node|is_same_list|is_same_tree|ListNode|TreeNode)\b")


def read(row: Row) -> Item:
    question = with_starter(row.text("question"), row.text("starter_code"))
    test, prompt = row.text("test"), row.text("prompt")
    if prompt and NODES.search(test or ""):  # which the prompt defines
        test = f"{prompt}\n\n{test}"
    return Item(question, test_cases=humaneval_tests(test, row.text("entry_point")))


ADAPTER = Adapter(
    fields(
        "problem_description",
        "starter_code",
        "prompt",
        test=Field("test", required=True),
        entry_point=Field("entry_point", required=True),
    ),
    read,
    version="3",
    doc="[LeetCodeDataset](https://huggingface.co/datasets/newfacade/LeetCodeDataset); the question shows the class to"
    " complete",
    signature=("problem_description", "test", "entry_point"),
    over=("humaneval",),
    example={
        "task_id": "add",
        "problem_description": "Add two numbers.",
        "starter_code": "class Solution:\n    def add(self, a: int, b: int) -> int:\n        ",
        "prompt": "from typing import *",
        "entry_point": "Solution().add",
        "test": "def check(candidate):\n    assert candidate(a=1, b=2) == 3\n",
    },
)
