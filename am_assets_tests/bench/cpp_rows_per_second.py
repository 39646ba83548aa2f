"""C++ programs a second in the sandbox, against `g++ -O2` and a run for each test in a plain loop.

    python -m am_assets_tests.bench.cpp_rows_per_second [programs] [bubblewrap or docker]

Both in one run, over the same programs with the same tests. The loop compiles each program once, too, and has neither
limits nor isolation. Needs g++, and an image with
it for docker.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, open_sandbox
from am_assets.engines.sandbox.guest.languages import COMPILER

PROGRAM = """#include <bits/stdc++.h>
using namespace std;
int main() {
    int n; cin >> n; vector<long long> a(n); for (auto &x : a) cin >> x;
    sort(a.begin(), a.end()); map<long long, int> seen; for (auto x : a) seen[x]++;
    for (auto &[x, count] : seen) cout << x + NUMBER << ' ' << count << '\\n';
}
"""
INPUTS = ["3\n1 2 1\n", "1\n5\n", "5\n9 8 7 8 9\n", "2\n0 0\n", "4\n4 3 2 1\n"]
TESTS = "for number, given in enumerate(INPUTS):\n    if __test__(number):\n        with __test__:\n"
TESTS += "            assert len(run_program(given).split()) % 2 == 0"


def loop(programs: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder, "p.cpp"), Path(folder, "p")
        for program in programs:
            source.write_text(program)
            subprocess.run([COMPILER, "-std=gnu++17", "-O2", "-w", str(source), "-o", str(binary)], check=True)
            for given in INPUTS:
                subprocess.run([str(binary)], input=given, capture_output=True, text=True, check=True)


def main(programs_wanted: str = "24", backend: str = "bubblewrap") -> None:
    count = int(programs_wanted)
    programs = [PROGRAM.replace("NUMBER", str(number)) for number in range(count)]
    begin = time.perf_counter()
    loop(programs)
    plain = count / (time.perf_counter() - begin)
    tests = TESTS.replace("INPUTS", repr(INPUTS))
    jobs = [Job(program, tests, is_script=True, tests=len(INPUTS), language="cpp") for program in programs]
    with open_sandbox(Code(), backend) as sandbox:
        list(sandbox.run_many(jobs[:2]))  # warm: the header is compiled once a machine
        begin = time.perf_counter()
        ends = [outcome.status for outcome in sandbox.run_many(jobs)]
        rate = count / (time.perf_counter() - begin)
    if set(ends) != {"pass"}:
        raise RuntimeError(f"right programs ended as {set(ends)}")
    print(f"plain loop {plain:.2f} programs/s, sandbox {rate:.2f}/s: {rate / plain:.1f} times")


if __name__ == "__main__":
    main(*sys.argv[1:])
