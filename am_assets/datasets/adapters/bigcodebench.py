"""BigCodeBench: a task and a class of unittest."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "instruct_prompt",
    tests="test",
    version="1",
    doc="[BigCodeBench](https://huggingface.co/datasets/bigcode/bigcodebench); its tests need packages of the sandbox",
    signature=("instruct_prompt", "test", "doc_struct"),
    example={
        "task_id": "1",
        "instruct_prompt": "Write `task_func(n)`: n twice.",
        "entry_point": "task_func",
        "doc_struct": "{}",
        "test": "import unittest\nclass TestCases(unittest.TestCase):\n"
        "    def test_two(self):\n        self.assertEqual(task_func(1), 2)",
    },
)
