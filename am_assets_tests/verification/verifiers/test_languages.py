"""Programs in Java and JavaScript, where a sandbox has them; elsewhere they are `needs java`, `needs node`."""

import json
from functools import partial

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import SandboxUnavailable, open_sandbox, pool
from am_assets.verification.verifiers import code
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import fenced, verdicts

SUMS = json.dumps({"inputs": ["1 2\n", "3 4\n"], "outputs": ["3\n", "7\n"]})
CALLS = json.dumps({"fn_name": "add", "inputs": [[1, 2], [3, 4]], "outputs": [3, 7]})
PATIENT = Code(timeout_seconds=10, total_seconds=60, compile_seconds=60)  # on a busy machine
JAVA = """import java.util.*;
public class Main {
    static class Node { int value; }
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        System.out.println(in.nextInt() + in.nextInt());
    }
}
"""
THREAD = """import java.io.*;
class Solver implements Runnable {
    static int deep(int n) { return n == 0 ? 0 : deep(n - 1); }
    public void run() {
        try {
            String[] parts = new BufferedReader(new InputStreamReader(System.in)).readLine().split(" ");
            System.out.println(deep(100000) + Integer.parseInt(parts[0]) + Integer.parseInt(parts[1]));
        } catch (IOException error) { throw new RuntimeException(error); }
    }
}
class Start {
    public static void main(String[] args) throws Exception {
        Thread thread = new Thread(null, new Solver(), "", 1 << 27);
        thread.start();
        thread.join();
    }
}
"""
JS = "const [a, b] = require('fs').readFileSync(0, 'utf8').split(/\\s+/).map(Number);\nconsole.log(a + b);\n"
LINES = """const readline = require('readline');
const lines = [];
const all = readline.createInterface({input: process.stdin});
all.on('line', (line) => lines.push(line));
all.on('close', () => { const [a, b] = lines[0].split(' ').map(Number); console.log(a + b); });
"""
MODULE = JS.replace("const [", "import fs from 'fs';\nconst [").replace("require('fs')", "fs")
NAMES = {"java": "java", "javascript": "node"}


def sandboxed(language: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a backend, which has the language; skip where it has not, if it says so."""
    monkeypatch.setattr(code, "open_sandbox", partial(open_sandbox, backend=backend))
    (row,) = verdicts((fenced(JAVA if language == "java" else JS, language), SUMS), instrument=PATIENT)
    if row["sandbox"] == "none":
        without_sandbox(SandboxUnavailable(row["detail"]))
    if row["verdict"] == "unverifiable":
        assert (row["reason"], row["outcomes"]) == (f"needs {NAMES[language]}", ["no_compiler"] * 2)
        pytest.skip(f"no {NAMES[language]} in {backend}")
    assert row["verdict"] == "pass", row["detail"]


@pytest.fixture(params=["bubblewrap", pytest.param("docker", marks=pytest.mark.container)])
def java(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    sandboxed("java", request.param, monkeypatch)


@pytest.fixture(params=["bubblewrap", pytest.param("docker", marks=pytest.mark.container)])
def node(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    sandboxed("javascript", request.param, monkeypatch)


def ends(language: str, *programs: str, tests: str = SUMS) -> list[str]:
    """The reason of each verdict, the verdict where it passes."""
    found = verdicts(*[(fenced(program, language), tests) for program in programs], instrument=PATIENT)
    return ["pass" if row["verdict"] == "pass" else row["reason"] for row in found]


def test_java_is_compiled_once_and_its_main_class_found(java: None) -> None:
    assert ends(
        "java",
        JAVA.replace("Main", "Sum"),
        f"package contest.day;\n{JAVA}",
        THREAD,
        JAVA.replace("in.nextInt() +", "in.nextInt() -"),
        JAVA.replace("Scanner in", "Scanner in in"),
        JAVA.replace("main(", "start("),
    ) == ["pass", "pass", "pass", "wrong_answer", "compile_error", "no_code"]


def test_what_java_does_wrong_is_told(java: None) -> None:
    assert ends(
        "java",
        JAVA.replace("Scanner in", "long[] much = new long[200_000_000]; Scanner in"),
        JAVA.replace("Scanner in", "System.exit(3); Scanner in"),
        JAVA.replace("Scanner in", 'Object x = "x"; Integer y = (Integer) x; Scanner in'),
        f"import org.apache.commons.lang3.StringUtils;\n{JAVA}",
        f"import java.utils.List;\n{JAVA}",
    ) == ["memory", "exception", "exception", "needs org", "compile_error"]


def test_javascript_reads_its_input_in_each_usual_way(node: None) -> None:
    assert ends("js", JS, LINES, MODULE, JS.replace("0, 'utf8'", "'/dev/stdin', 'utf8'")) == ["pass"] * 4
    deep = "const f = (n) => (n ? 1 + f(n - 1) : 0);\nif (f(30000) !== 30000) throw 1;\n"
    assert ends(
        "javascript",
        deep + JS,
        JS.replace("a + b", "a - b"),
        "throw new Error('x');\n",
        f"const _ = require('lodash');\n{JS}",
        f"const _ = require('./helper');\n{JS}",
    ) == ["pass", "wrong_answer", "exception", "needs lodash", "exception"]


def test_limits_hold_for_javascript(node: None) -> None:
    flood = "require('fs').writeSync(1, 'x'.repeat(1 << 20) + 'x');\n"
    endless = "for (;;);\n"
    limits = Code(timeout_seconds=2, printed_kb=1024)
    found = verdicts((fenced(flood, "js"), SUMS), (fenced(endless, "js"), SUMS), instrument=limits)
    assert [row["reason"] for row in found] == ["output_limit", "timeout"]


def test_a_function_in_javascript_is_called(node: None) -> None:
    assert ends(
        "javascript",
        "var add = function(a, b) { return a + b; };\n",
        "class Solution { add(a, b) { console.log('noise'); return a + b; } }\n",
        "function add(a, b) { return a - b; }\n",
        "async function add(a, b) { return a + b; }\n",
        "const none = await Promise.resolve(0);\nfunction add(a, b) { return a + b + none; }\n",
        "const one = await Promise.resolve(1);\nfunction add(a, b) { return a + b + one; }\n",
        "/** @param {TreeNode} a */\nconst add = (a, b) => a + b;\n",
        tests=CALLS,
    ) == [
        "pass",
        "pass",
        "wrong_answer",
        "pass",
        "pass",
        "wrong_answer",
        "sandbox can't call functions of javascript with these tests",
    ]


def test_what_json_lacks_is_not_taken_for_null(node: None) -> None:
    nothing = json.dumps({"fn_name": "add", "inputs": [[1, 2], [1, 1]], "outputs": [None, 2]})
    some = "function add(a, b) {{ return a === b ? a + b : {}; }}\n"
    programs = [some.format(result) for result in ("null", "undefined", "NaN", "1 / 0", "[]", "new Set()")]
    assert ends("js", *programs, tests=nothing) == ["pass", "pass", *["wrong_answer"] * 4]


def test_a_sandbox_without_the_language_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(pool.WarmSandbox):
        def __init__(self, transport: pool.Transport) -> None:
            super().__init__(transport)
            self.languages = {"python"}

    monkeypatch.setattr(pool, "WarmSandbox", Bare)
    limits = Code(timeout_seconds=9)  # its own, as sandboxes are kept by their limits
    rows = [(fenced(JAVA, "java"), SUMS), (fenced(JS, "js"), SUMS), (fenced("int main() {}\n", "cpp"), SUMS)]
    found = verdicts(*rows, instrument=limits)
    if found[0]["sandbox"] == "none":
        without_sandbox(SandboxUnavailable(found[0]["detail"]))
    assert [row["verdict"] for row in found] == ["unverifiable"] * 3
    assert [row["reason"] for row in found] == ["needs java", "needs node", "sandbox: no compiler"]
    assert {outcome for row in found for outcome in row["outcomes"]} == {"no_compiler"}


def test_languages_that_no_sandbox_runs_are_named() -> None:
    rust, fragment = fenced("fn main() {}\n", "rust"), fenced("int x;\n", "java")
    found = verdicts(
        (rust, SUMS), (fragment, SUMS), (fenced("3\n", "text"), SUMS), (fenced("class P {}\n", "c#"), SUMS)
    )
    assert [row["reason"] for row in found] == ["needs rust", "no_code", "no_code", "needs c#"]
    java = fenced("class Solution { public int add(int a, int b) { return a + b; } }\n", "java")
    (called,) = verdicts((java, CALLS))
    assert (called["verdict"], called["reason"]) == (
        "unverifiable",
        "sandbox can't call functions of java with these tests",
    )
