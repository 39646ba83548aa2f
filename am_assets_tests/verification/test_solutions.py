"""The program of an answer, by the rule in `programs/solution.py`: each kind of answer, and neighbours."""

import json
from textwrap import indent

import pytest

from am_assets.verification.programs.blocks import blocks
from am_assets.verification.programs.solution import extract_code, extract_script
from am_assets_tests.verification.answers import ADD, fenced

USE = "result = add(1, 2)\nprint(result)  # 3\n"
WRONG = "def add(a, b):\n    return a - b\n"
HELPED = "def add(a, b):\n    return plus(a, b)\n"
PLUS = "def plus(a, b):\n    return a + b\n"
SESSION = ">>> def add(a, b):\n...     return a + b\n...\n>>> add(1, 2)\n3\n"
FUTURE = "from __future__ import annotations\n"
READS = "a, b = map(int, input().split())\nprint(a + b)\n"
DOCUMENTED = 'def add(a, b):\n    """Adds.\n\n    ```\n    add(1, 2)\n    ```\n    """\n    return a + b\n'
CPP = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }\n"
JAVA = "import java.util.*;\nclass A { public static void main(String[] a) { new Scanner(System.in).next(); } }\n"
JS = "const given = require('fs').readFileSync(0, 'utf8');\nconsole.log(given);\n"


def answer(*blocks: str) -> str:
    return "\n\nThen:\n\n".join(block if block.startswith(("```", "~~~")) else fenced(block) for block in blocks)


def runs(code: str | None) -> object:
    """What `add(1, 2)` is in a program that is written here."""
    space: dict = {}
    exec(code or "", space)
    return space["add"](1, 2)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param(answer(ADD, USE), 3, id="use behind the solution"),
        pytest.param(answer(ADD, "assert add(1, 2) == 3\n"), 3, id="tests behind it"),
        pytest.param(answer(ADD, "def test_add():\n    assert add(1, 2) == 3\n"), 3, id="test functions behind it"),
        pytest.param(answer(ADD, ">>> add(1, 2)\n3\n"), 3, id="a session behind it"),
        pytest.param(answer(SESSION), 3, id="a session alone"),
        pytest.param(answer(fenced(SESSION, "pycon")), 3, id="a session alone, named so"),
        pytest.param(answer(SESSION.replace("+", "-")), -1, id="a wrong session alone"),
        pytest.param(answer(fenced(f"python\n{ADD}", "")), 3, id="the language below the fence"),
        pytest.param(answer(fenced(f"python\n{WRONG}", "")), -1, id="the language below the fence, wrong"),
        pytest.param(answer(ADD, fenced("3\n", "")), 3, id="output behind it"),
        pytest.param(answer(ADD, fenced("x = 3\n", "")), 3, id="output that is Python"),
        pytest.param(answer(ADD, fenced("pip install x\n", "bash")), 3, id="a command behind it"),
        pytest.param(answer(ADD, "from my_module import add\nprint(add(1, 2))\n"), 3, id="use that imports it"),
        pytest.param(answer("from operator import add\n", USE), 3, id="one of the library"),
        pytest.param(f"<answer>```python\n{ADD}```</answer>", 3, id="fences between tags"),
        pytest.param(f"<answer>```python\n{ADD.rstrip()}```</answer>", 3, id="a last line between tags"),
        pytest.param(answer(ADD, "def add(a, b): ...\n"), 3, id="a signature behind it"),
        pytest.param(answer("def add(a, b):\n    pass\n"), None, id="a stub alone"),
        pytest.param(answer(ADD, "def add(a, b):\n    return None\n"), None, id="a later version that does nothing"),
        pytest.param(indent(answer(ADD), "> ", lambda line: True), 3, id="a quote"),
        pytest.param(f"<code>\n{ADD}    return a &lt; b\n</code>", 3, id="a tag with entities"),
        pytest.param(answer(WRONG, ADD), 3, id="of two versions the later"),
        pytest.param(answer(ADD, WRONG), -1, id="of two versions the later, also if it is wrong"),
        pytest.param(answer(fenced(WRONG, ""), ADD), 3, id="a draft without a language"),
        pytest.param(answer(PLUS, HELPED), 3, id="a helper in a block of its own"),
        pytest.param(answer(HELPED, PLUS), 3, id="a helper behind it"),
        pytest.param(answer("def plus(a, b):\n    return a - b\n", PLUS, HELPED, USE), 3, id="the later helper"),
        pytest.param(answer("import math\n", "def add(a, b):\n    return math.floor(a + b)\n"), 3, id="imports first"),
        pytest.param(answer("ZERO = 0\n", "def add(a, b):\n    return ZERO + a + b\n"), 3, id="a constant first"),
        pytest.param(answer(ADD, "def add(self, a, b):\n    return self.plus(a, b)\n"), 3, id="a method shown alone"),
        pytest.param(answer(FUTURE + PLUS, FUTURE + HELPED), 3, id="two futures"),
        pytest.param(DOCUMENTED, 3, id="a program without fences that has some in a docstring"),
        pytest.param(answer(DOCUMENTED), 3, id="fences in a docstring"),
        pytest.param(answer(DOCUMENTED, USE), 3, id="fences in a docstring, and use"),
        pytest.param(answer(f"~~~python\n{ADD}~~~"), 3, id="tildes"),
        pytest.param(answer(f"~~~~ {{.python .wide}}\n{ADD}~~~~"), 3, id="attributes"),
        pytest.param(answer(fenced(ADD, "Python 3"), fenced(WRONG, "javascript")), 3, id="another language behind it"),
        pytest.param(answer(fenced(ADD, "python:add.py")), 3, id="a file name"),
        pytest.param(answer(f"````python\n{ADD}```\n````").replace("```\n````", "````"), 3, id="four backticks"),
        pytest.param(f"Solution: ```python\n{ADD}```", 3, id="a fence behind a sentence"),
        pytest.param(f"```python\n{ADD.rstrip()}```", 3, id="closed on the last line"),
        pytest.param(f"1. Do\n\n    ```python\n{indent(ADD, '    ')}    ```\n", 3, id="list"),
        pytest.param(f"```python\n{ADD}\n```\n\n```text\nThen\n```python\n{USE}```", 3, id="text that is not closed"),
        pytest.param(f"```python\n{ADD}```python\n{USE}```", 3, id="closed by the next"),
        pytest.param(json.dumps({"why": "sums", "code": ADD}), 3, id="JSON"),
        pytest.param(json.dumps({"code": WRONG}), -1, id="JSON, wrong"),
        pytest.param(fenced(json.dumps({"solution": fenced(ADD)}), "json"), 3, id="fences in JSON in fences"),
        pytest.param(answer(ADD, fenced(json.dumps({"code": WRONG}), "json")), 3, id="JSON beside a program"),
        pytest.param(answer(ADD).replace("\n", "\r"), 3, id="line ends of old"),
        pytest.param(f"```python\n\ufeff{ADD}```", 3, id="a byte order mark"),
        pytest.param(f"<code>\n{ADD}</code>", 3, id="a tag"),
        pytest.param(f'<pre><code class="language-python">{ADD}</code></pre>', 3, id="a tag with a class"),
        pytest.param(answer(fenced(ADD, "ipython3")), 3, id="the shell's name of Python"),
        pytest.param(f"[PYTHON]\n{ADD}[/PYTHON]", 3, id="the tag of MBPP"),
        pytest.param(f"[BEGIN]\n{ADD}[DONE]", 3, id="other marks"),
        pytest.param(f"Call <code>add</code>.\n\n{ADD}", 3, id="a tag within prose is none"),
        pytest.param(f"The function is:\n\n{ADD}\nIt adds the two.", 3, id="prose around bare code"),
        pytest.param(f"if you wish:\n{ADD}for each case this holds", 3, id="prose that begins as code does"),
        pytest.param(f"So:\n\n{indent(ADD, '    ')}\n\nIt adds.", 3, id="indented bare code"),
        pytest.param(f"First\n\nimport math\n\nThen\n\n{ADD}\nprint(add(1, 2))\n\nDone.", 3, id="bare pieces"),
        pytest.param(f"The function is:\n\n{WRONG}", -1, id="bare code that is wrong"),
    ],
)  # fmt: skip
def test_what_the_tests_call_is_found(text: str, result: int | None) -> None:
    assert runs(extract_code(text, ["add"])) == result


def test_a_last_version_that_does_not_compile_is_not_replaced_by_an_earlier_one() -> None:
    with pytest.raises(SyntaxError):
        runs(extract_code(answer(ADD, "def add(a, b:\n    return a + b\n"), ["add"]))


def test_several_names_come_from_several_blocks() -> None:
    text = answer(ADD, PLUS, "class Solution:\n    def twice(self, a):\n        return add(a, a)\n", USE)
    assert (extract_code(text, ["add", "plus"]) or "").count("def ") == 2
    assert "def add" in (extract_code(text, ["twice"]) or "")


def test_imports_of_modules_that_are_not_pythons_come_along() -> None:
    text = answer(
        "import numpy as np\nfrom pandas import Series\n", "def add(a, b):\n    return np.add(a, Series(b))\n"
    )
    assert "numpy" in (extract_code(text, ["add"]) or "")


def test_without_what_the_tests_call_the_last_definition_is_the_program() -> None:
    assert extract_code(answer(ADD, USE), ["sub"]) == ADD
    assert extract_code(answer(ADD, WRONG), []) == WRONG


@pytest.mark.parametrize(
    "text", ["The answer is 42.", "", "add", fenced("int x;\n", "java"), "if so, then: no\nfor all"]
)
def test_what_is_no_program_is_none(text: str) -> None:
    assert extract_code(text, ["add"]) is None and extract_script(text) is None


@pytest.mark.parametrize(
    ("text", "program"),
    [
        pytest.param(answer(READS, "print(add(1, 2))\n"), READS, id="use behind a script"),
        pytest.param(answer(READS, fenced("1 2\n", ""), fenced("3\n", "")), READS, id="input and output behind it"),
        pytest.param(answer("print(0)\n", READS), READS, id="the later of two"),
        pytest.param(answer(READS, READS.replace("+", "-")), READS.replace("+", "-"), id="the later one, wrong"),
        pytest.param(answer(READS, ADD), READS, id="a function behind a script"),
        pytest.param(answer("print(1)\n", "print(2)\n"), "print(2)\n", id="without input"),
        pytest.param(answer(READS, ">>> 1 + 2\n3\n"), READS, id="a session behind it"),
        pytest.param(f"The program:\n\n{READS}\nIt reads two numbers.", READS, id="bare"),
    ],
)
def test_the_program_of_a_script_is_the_last_that_reads_and_acts(text: str, program: str) -> None:
    assert extract_script(text) in [(program, "python"), (program + "\n", "python")]


def test_a_script_is_completed_by_definitions_and_by_nothing_that_acts() -> None:
    text = answer(
        "import sys\n",
        f"{ADD}print('demo', add(1, 1))\n",
        "a, b = map(int, sys.stdin.read().split())\nprint(add(a, b))",
    )
    found = extract_script(text)
    assert found is not None and "demo" not in found[0]
    assert found[0].startswith("import sys") and "def add" in found[0]
    body = "def main():\n    print(sum(map(int, input().split())))\n"
    assert extract_script(answer(body, "main()\n")) == (f"{body.rstrip()}\n\nmain()\n", "python")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (fenced(CPP, "c++17"), "cpp"),
        (fenced(CPP, "cpp20"), "cpp"),
        (fenced(CPP, "C++ (GCC)"), "cpp"),
        (fenced(CPP, ""), "cpp"),
        (CPP, "cpp"),
        (answer(fenced(CPP, "cpp"), READS), "python"),
        (answer(READS, fenced(CPP, "cpp")), "cpp"),
        (answer(fenced(CPP, "cpp"), ADD), "cpp"),
        (answer(fenced(CPP, "cpp"), "print(3)\n"), "cpp"),
        (answer(READS, fenced(CPP, "rust")), "python"),
        (fenced(JAVA, "java"), "java"),
        (fenced(JAVA, ""), "java"),
        (JAVA, "java"),
        (fenced(JS, "js"), "javascript"),
        (fenced(JS, ""), "javascript"),
        (JS, "javascript"),
        (answer(fenced(JAVA, "java"), fenced("3\n", "")), "java"),
        (answer(READS, fenced(JAVA, "java")), "python"),
        (answer(fenced(JAVA, "java"), "print(3)\n"), "java"),
        (answer(fenced(JS, "js"), ADD), "javascript"),
        (answer(fenced(CPP, "cpp"), fenced(JAVA, "java")), "cpp"),
        (answer(fenced(JS, "js"), fenced(JAVA, "java")), "java"),
    ],
)
def test_the_language_of_a_script(text: str, language: str) -> None:
    found = extract_script(text)
    assert found == ({"cpp": CPP, "java": JAVA, "javascript": JS}.get(language, READS), language)


def test_blocks_are_read_in_no_more_than_reasonable_time() -> None:
    nasty = "```python\n'''\n" + "```\n" * 3000 + "def " * 3000 + "\n    x" * 3000
    assert blocks(nasty) is not None
    assert extract_code("x =\n" * 5000, ["x"]) is None
