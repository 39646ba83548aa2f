"""A small project that was applied, with right and wrong neighbours of everything the pages sort and find."""

from pathlib import Path

import pytest

from am_assets_tests.view.stored import Asked, write_tables

TWELVE = Asked("What is 5 plus 7?", "12", [("5 + 7 = 12.", "\\boxed{12}", "a", "pass"), ("Tens.", "13", "b", "fail")])
TASK = Asked(
    "Write `double(n)`.", None, [("Twice.", "```python\ndef double(n):\n    return n + 2\n```", "a", "fail")],
    category="coding",
    tests='{"test_code": "assert double(2) == 4\\nassert double(3) == 6", "test_entry_point": "double"}',
)  # fmt: skip
SILENT = Asked("Name the tallest mountain of the moon.", "Mons Huygens", [], category="information_seeking")
SECRET = Asked("Whom may I write to?", "nobody", [("No.", "Write to paula.miller@gmail.com, please", "a", "fail")])
TWIN = Asked("What is 5 plus  7, in words?", "twelve", [("Sum.", "twelve, of kookaburras", "b", "pass")])
ALL = [TWELVE, TASK, SILENT, SECRET, TWIN]
FOUND = {SECRET.response_id(0): [{"screen": "personal_data", "part": "answer", "shown": "mail address"}]}


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    write_tables(folder, ALL, FOUND)
    return folder
