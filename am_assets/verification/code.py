"""Code verdicts: takes the program out of an answer and runs it against its tests in a sandbox.

`pass` only if every test ran through; how each ended stands beside it, for recipes that ask for less. What is wrong
with the answer is a `fail`; what is wrong with the tests or the sandbox is `unverifiable`. Nothing of an answer is ever
executed outside `engines/sandbox`; here it is at most parsed.
"""

import ast
import logging
import re
import textwrap
from collections.abc import Iterable, Iterator

import polars as pl

from am_assets.engines.sandbox import Job, Outcome, SandboxUnavailable, open_sandbox
from am_assets.engines.sandbox.protocol import Language
from am_assets.instruments import Code
from am_assets.verification.code_tests import Runnable, UnusableTests, parse
from am_assets.verification.tables_of_tests import read_cases

logger = logging.getLogger(__name__)

VERIFIER = "code-3"  # part of a verdict's identity: raise it when extraction, test reading or the harness change
RETRY_REASON_PREFIX = "sandbox"  # such a verdict tells of this machine, not of the answer: not to be remembered
UNKNOWN = {"sandbox_error": "run failed", "no_compiler": "no compiler"}
NO_SANDBOX = "none"
BATCH = 32
MEASURED = pl.Schema(
    {**dict.fromkeys(["key", "verdict", "reason", "detail", "sandbox"], pl.String), "outcomes": pl.List(pl.String)}
)
FENCE = re.compile(r"^[ \t]*```[ \t]*(?P<language>[\w+.-]*)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
PYTHON = {"python", "python3", "py"}
CPP = {"cpp", "c++", "cc", "cxx"}


def extract_script(answer: str) -> tuple[str, Language] | None:
    """The answer's last named block if that is C++, else its Python program."""
    named = [block for block in blocks(answer) if block[0] in PYTHON | CPP]
    if named and named[-1][0] in CPP:
        return named[-1][1], "cpp"
    return (code, "python") if (code := extract_code(answer)) is not None else None


def extract_code(answer: str) -> str | None:
    """The last fenced Python block of the answer; else its last unnamed block that is Python; else all of it.

    An answer without a fence has to define something to count as a program. A last block that was never closed runs to
    the end of the answer.
    """
    answer = answer.replace("\r\n", "\n")
    found = blocks(answer)
    if named := [code for language, code in found if language in PYTHON]:
        return named[-1]
    if unnamed := [code for language, code in found if not language and parse(code)]:
        return unnamed[-1]
    tree = parse(answer)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign
    return answer if tree and any(isinstance(node, definitions) for node in tree.body) else None


def blocks(answer: str) -> list[tuple[str, str]]:
    """(language in lower case or "", code) of each fenced block that is not empty."""
    found = FENCE.finditer(answer.replace("\r\n", "\n"))
    return [(m["language"].lower(), textwrap.dedent(m["code"])) for m in found if m["code"].strip()]


def verify(jobs: pl.DataFrame, limits: Code) -> Iterator[pl.DataFrame]:
    """Verdicts for `jobs` (key, answer or null, test_cases or null), in small frames as they finish.

    Yields MEASURED. Reasons: `tests_passed`; the status of the first test that failed or `no_code` for a fail;
    `tests: …` or `sandbox: …` (RETRY_REASON_PREFIX) for an unverifiable row. `outcomes` has the status of each test
    that counts, and is empty where nothing could be run. Each job appears once, the ones that need no run first.
    """
    settled, keys, runnable = [], [], []
    for key, answer, test_cases in jobs.select("key", "answer", "test_cases").iter_rows():
        try:
            tests = read_cases(test_cases, limits)
        except UnusableTests as error:
            settled.append((key, "unverifiable", f"tests: {error}", "", NO_SANDBOX, []))
            continue
        if (job := job_of(answer or "", tests)) is None:
            settled.append((key, "fail", "no_code", "", NO_SANDBOX, []))
            continue
        keys.append(key)
        runnable.append(job)
    yield from frames(settled)
    if not runnable:
        return
    try:
        with open_sandbox(limits) as sandbox:
            outcomes = zip(keys, sandbox.run_many(runnable), strict=True)
            yield from frames((key, *verdict(end), sandbox.name, list(end.tests)) for key, end in outcomes)
    except SandboxUnavailable as error:
        logger.error("%d code answers can not be verified: %s", len(runnable), error)
        unavailable = ("unverifiable", "sandbox: unavailable", str(error), NO_SANDBOX, [])
        yield from frames((key, *unavailable) for key in keys)


def job_of(answer: str, tests: Runnable) -> Job | None:
    if not tests.is_script:
        return Job(code, *tests) if (code := extract_code(answer)) is not None else None
    script = extract_script(answer)
    return script and Job(script[0], *tests, language=script[1])


def verdict(outcome: Outcome) -> tuple[str, str, str]:
    """(verdict, reason, detail) of one run."""
    if outcome.status == "pass":
        return "pass", "tests_passed", outcome.detail
    if outcome.status in UNKNOWN:
        return "unverifiable", f"{RETRY_REASON_PREFIX}: {UNKNOWN[outcome.status]}", outcome.detail
    return "fail", outcome.status, outcome.detail


def frames(rows: Iterable[tuple]) -> Iterator[pl.DataFrame]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield pl.DataFrame(batch, MEASURED, orient="row")
            batch = []
    if batch:
        yield pl.DataFrame(batch, MEASURED, orient="row")
