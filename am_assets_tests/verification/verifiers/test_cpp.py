"""Programs in C++ are compiled and judged by the same tests."""

import json
import os
from functools import partial

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import SandboxUnavailable, open_sandbox
from am_assets.verification.programs.solution import extract_script
from am_assets.verification.verifiers import code
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import QUICK, fenced, verdicts


@pytest.fixture
def any_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that has a compiler, as bubblewrap does where the host has one."""
    monkeypatch.setattr(code, "open_sandbox", partial(open_sandbox, backend="bubblewrap"))
    probe = json.dumps({"inputs": [""], "outputs": [""]})
    (row,) = verdicts((fenced("int main() {}\n", "cpp"), probe))
    if row["verdict"] == "unverifiable":
        pytest.skip(row["reason"])


ADD_CPP = """
#include <bits/stdc++.h>
int main() {
    long long a, b;
    std::cin >> a >> b;
    if (a == 1) while (true);
    if (a == 2) std::abort();
    if (a == 3) std::vector<char>(1000000000, 'x');
    if (a == 4) while (true) std::cout << "xxxxxxxxxxxxxxx";
    if (a == 5) std::cout << a;
    if (a == 6) return 3;
    std::cout << a + b << std::endl;
}
"""


class TestCpp:
    LINES = json.dumps({"inputs": [f"{a} 10\n" for a in range(8)], "outputs": [f"{a + 10}\n" for a in range(8)]})

    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            (fenced("int main(){}\n", "cpp"), ("int main(){}\n", "cpp")),
            (fenced("x = 1\n") + "\n" + fenced("int main(){}\n", "C++"), ("int main(){}\n", "cpp")),
            (fenced("int main(){}\n", "cpp") + "\n" + fenced("x = 1\n"), ("x = 1\n", "python")),
            (fenced("int main(){}\n", "cpp") + "\n" + fenced("3\n", ""), ("int main(){}\n", "cpp")),
            (fenced("fn main(){}\n", "rust"), None),
        ],
    )
    def test_the_last_named_block_says_the_language(self, answer, found):
        assert extract_script(answer) == found

    @pytest.mark.parametrize("backend", ["bubblewrap", pytest.param("docker", marks=pytest.mark.container)])
    def test_a_script_is_compiled_once_and_run_for_each_test(self, backend, monkeypatch):
        monkeypatch.setattr(code, "open_sandbox", partial(open_sandbox, backend=backend))
        right, broken, python = verdicts(
            (fenced(ADD_CPP, "cpp"), self.LINES),
            (fenced("int main() { return x; }\n", "cpp"), self.LINES),
            (fenced("print(sum(map(int, input().split())))\n"), self.LINES),
            instrument=QUICK,
        )
        if python["sandbox"] == "none":
            without_sandbox(SandboxUnavailable(python["detail"]))
        assert python["verdict"] == "pass"
        if right["reason"] == "sandbox: no compiler":
            assert (right["verdict"], right["outcomes"]) == ("unverifiable", ["no_compiler"] * 8)
            if backend == "bubblewrap" and os.environ.get("AM_REQUIRE_CONTAINER"):
                pytest.fail("a compiler was promised here")
            pytest.skip(f"no g++ in {backend}")
        assert right["outcomes"] == [
            "pass", "timeout", "exception", "memory", "output_limit", "wrong_answer", "exception", "pass",
        ]  # fmt: skip
        assert set(broken["outcomes"]) == {"compile_error"} and "was not declared" in broken["detail"]

    def test_a_compiler_that_does_not_end_is_ended(self, any_cpp):
        endless = "template<int n, int m> struct F { F<n - 1, 2 * m> a; F<n - 1, 2 * m + 1> b; };\n"
        endless += "template<int m> struct F<0, m> {};\nF<20, 0> f;\nint main() {}\n"
        instrument = Code(timeout_seconds=1, compile_seconds=0.5)
        (row,) = verdicts((fenced(endless, "cpp"), self.LINES), instrument=instrument)
        assert set(row["outcomes"]) == {"compile_error"} and "not compiled after" in row["detail"]

    def test_the_compiler_sees_no_more_than_the_program(self, any_cpp):
        reads = f'#include "{__file__}"\nint main() {{}}\n'
        (row,) = verdicts((fenced(reads, "cpp"), self.LINES))
        assert set(row["outcomes"]) == {"compile_error"} and "No such file" in row["detail"]
