"""The program of an answer is found, whatever surrounds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.verification.programs.solution import extract_code
from am_assets_tests.verification.answers import ADD, fenced


class TestExtractCode:
    def test_last_python_block_wins(self):
        answer = f"First:\n{fenced('x = 1')}\nBetter:\n{fenced(ADD)}\nIt prints\n{fenced('3', '')}"
        assert extract_code(answer.replace("x = 1", "x = 1\n").replace("```\n3", "```\n3\n")) == ADD

    def test_unnamed_block_counts_if_it_is_python(self):
        assert extract_code(f"{fenced(ADD, '')}\n{fenced('3 apples' + chr(10), '')}") == ADD

    def test_indented_block_is_dedented(self):
        assert extract_code("1. Write\n   ```python\n   x = 1\n   ```\n") == "x = 1\n"

    def test_block_that_was_never_closed_runs_to_the_end(self):
        assert extract_code(f"Here:\n```python\n{ADD}") == ADD

    def test_whole_answer_if_it_is_a_program(self):
        assert extract_code(ADD) == ADD

    @pytest.mark.parametrize(
        "answer", ["", "42", "I can not solve this.", "Sorry", fenced("int x;\n", "java"), "(" * 9999]
    )
    def test_otherwise_there_is_none(self, answer):
        assert extract_code(answer) is None

    @given(st.text(), st.from_regex(r"(?:[a-z ]{0,9}\n){1,5}", fullmatch=True).filter(str.strip))
    def test_a_closed_python_block_is_found_after_any_prose(self, prose, code):
        found = extract_code(f"{prose.replace('`', '')}\n{fenced('marker = 1' + chr(10) + code)}")
        assert found == "marker = 1\n" + "".join(line if line.strip() else "\n" for line in code.splitlines(True))

    @given(st.text(st.sampled_from("`python\n x=1(\\'\"")))
    def test_no_answer_breaks_it(self, answer):
        assert extract_code(answer) is None or extract_code(answer) in answer.replace("\r\n", "\n") or " " in answer
