"""Checkers in C++, as Codeforces brings them: run as a third process, by the conventions of testlib."""

import json
from functools import partial
from pathlib import Path

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import open_sandbox
from am_assets.verification.verifiers import code
from am_assets_tests.verification.answers import fenced, verdicts

TESTLIB = """#include <cstdio>
#include <cstdlib>
#include <fstream>
enum Result { _ok = 0, _wa = 1, _pe = 2, _fail = 3, _points = 7 };
inline void quitf(Result result, const char *text) {
    const char *words[] = {"ok", "wrong answer", "wrong output format", "FAIL", "", "", "", "points"};
    std::fprintf(stderr, "%s %s\\n", words[result], text);
    std::exit(result);
}
struct Stream {
    std::ifstream file;
    int readInt() { int n; if (!(file >> n)) quitf(_pe, "no integer"); return n; }
};
inline Stream inf, ouf, ans;
inline void registerTestlibCmd(int, char **names) {
    inf.file.open(names[1]);
    ouf.file.open(names[2]);
    ans.file.open(names[3]);
}
"""
CHECKER = """#include "testlib.h"
int main(int count, char **names) {
    registerTestlibCmd(count, names);
    int n = inf.readInt(), a = ouf.readInt(), b = ouf.readInt();
    if (ans.readInt() != 0) quitf(_fail, "not the expected output");
    quitf(a + b == n ? END : _wa, "sums");
}
"""
PLAIN = """#include <fstream>
#include <iostream>
int main(int, char **names) {
    std::ifstream in(names[1]), out(names[2]);
    int n, a, b;
    in >> n;
    if (!(out >> a >> b)) return 2;
    std::cerr << (a + b == n ? "ok" : "wrong answer");
    return a + b == n ? 0 : 1;
}
"""
SPLIT, WRONG, ONE = "n = int(input())\nprint(1, n - 1)", "n = int(input())\nprint(1, n)", "print(1)"


def checked(checker: str) -> str:
    return json.dumps({"inputs": ["5\n", "9\n"], "outputs": ["0 5\n", "0 9\n"], "checker": checker})


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The reasons of the verdicts on (program, checker) rows, with a header of testlib."""
    monkeypatch.setattr(code, "open_sandbox", partial(open_sandbox, backend="bubblewrap"))
    header = tmp_path / "testlib.h"
    header.write_text(TESTLIB)
    instrument = Code(timeout_seconds=10, total_seconds=60, compile_seconds=60, testlib=header)

    def made(*rows: tuple[str, str]) -> list[str]:
        found = verdicts(*[(fenced(program), checked(checker)) for program, checker in rows], instrument=instrument)
        if found[0]["reason"] == "sandbox: no compiler":
            pytest.skip("no g++")
        return ["pass" if row["verdict"] == "pass" else row["reason"] for row in found]

    return made


def test_a_checker_with_testlib_decides_by_its_exit_code(reasons) -> None:
    assert reasons(
        (SPLIT, CHECKER.replace("END", "_ok")),
        (WRONG, CHECKER.replace("END", "_ok")),
        (ONE, CHECKER.replace("END", "_ok")),
        (SPLIT, CHECKER.replace("END", "_fail")),
        (SPLIT, CHECKER.replace("END", "_points")),
    ) == ["pass", "wrong_answer", "wrong_answer", "tests: checker: FAIL sums", "tests: checker: points sums"]


def test_one_without_testlib_says_a_word_beside_it(reasons) -> None:
    silent = PLAIN.replace("std::cerr <<", "(void)")
    *told, unsaid, broken = reasons(
        (SPLIT, PLAIN), (WRONG, PLAIN), (ONE, PLAIN), (SPLIT, silent), (SPLIT, PLAIN.replace("int n,", "int n n,"))
    )
    assert told == ["pass", "wrong_answer", "wrong_answer"]
    assert unsaid.startswith("tests: checker: it ended with 0") and "compile_error" in broken


def test_without_the_header_nothing_is_told() -> None:
    (row,) = verdicts((fenced(SPLIT), checked(CHECKER)))
    assert (row["verdict"], row["reason"]) == ("unverifiable", "needs testlib.h")


def test_a_header_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="testlib"):
        Code(testlib=Path("/nowhere/testlib.h"))
