"""Executions a second of the warm sandboxes, against one `docker run` for each test with the same limits.

    python -m am_assets_tests.bench.executions_per_second [executions] [docker runs]

Both in one run, on all CPUs, over the same short problems; needs a Docker engine with the image. Prints the throughput
of each backend, its ratio to `docker run`, and what 300,000 responses take at that.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, open_sandbox
from am_assets.engines.sandbox.container import image_with
from am_assets.engines.sandbox.protocol import PYTHON_OPTIONS

RESPONSES = 300_000
LIMITS = Code()
PROBLEMS = [
    Job("def add(a, b): return a + b", "assert add(1, 2) == 3\nassert add(0, 0) == 0\nassert add(-1, 1) == 0"),
    Job("def rev(s): return s[::-1]", "def check(f):\n    for n in range(10): assert f('ab' * n) == 'ba' * n", "rev"),
    Job("def odd(n): return [x for x in range(n) if x % 2]", "assert odd(6) == [1, 3, 5]\nassert odd(0) == []"),
    Job("def order(xs): xs.sort()", "xs = [3, 1, 2]\norder(xs)\nassert xs == [1, 2, 3]"),
]  # fmt: skip


def docker_run(job: Job) -> bool:
    call = f"\ncheck({job.entry_point})" if job.entry_point else ""
    limits = [
        "--network=none",
        "--read-only",
        "--user=65534:65534",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
    ]
    limits += [f"--memory={LIMITS.memory_mb}m", "--cpus=1", f"--pids-limit={LIMITS.processes}", "--tmpfs=/tmp:size=16m"]
    script = f"{job.program}\n{job.test_code}{call}"
    command = [
        "docker",
        "run",
        "--rm",
        *limits,
        image_with(LIMITS.packages),
        "/usr/bin/python3",
        *PYTHON_OPTIONS,
        "-c",
        script,
    ]
    return subprocess.run(command, capture_output=True).returncode == 0


def a_second(work: Callable[[list[Job]], list[bool]], count: int) -> float:
    jobs = [PROBLEMS[number % len(PROBLEMS)] for number in range(count)]
    begin = time.perf_counter()
    passed = work(jobs)
    seconds = time.perf_counter() - begin
    if not all(passed):
        raise RuntimeError("a right program did not pass")
    return count / seconds


def main(executions: int = 2000, docker_runs: int = 20) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        one_by_one = a_second(lambda jobs: list(pool.map(docker_run, jobs)), docker_runs)
    print(f"docker run a test: {one_by_one:.2f}/s on {os.cpu_count()} CPUs (load {os.getloadavg()[0]:.1f})")
    for backend in ("docker", "bubblewrap"):
        with open_sandbox(LIMITS, backend) as sandbox:
            list(sandbox.run_many(PROBLEMS))  # warm
            rate = a_second(lambda jobs: [each.status == "pass" for each in sandbox.run_many(jobs)], executions)
        hours = RESPONSES / rate / 3600
        print(f"{backend}: {rate:.1f}/s, {rate / one_by_one:.0f} times; {RESPONSES:,} responses in {hours:.1f} h")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
