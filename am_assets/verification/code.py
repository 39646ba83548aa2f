"""Code verdicts: takes the program out of an answer and runs it against its tests in a sandbox.

`pass` only if every test ran through. What is wrong with the answer is a `fail`; what is wrong with the tests or the
sandbox is `unverifiable`. Nothing of an answer is ever executed outside `engines/sandbox`; here it is at most parsed.
"""

import ast
import logging
import re
import textwrap
from collections.abc import Iterable, Iterator

import polars as pl

from am_assets.engines.sandbox import Job, Outcome, SandboxUnavailable, open_sandbox
from am_assets.instruments import Code
from am_assets.verification.code_tests import UnusableTests, parse
from am_assets.verification.tables_of_tests import read_cases

logger = logging.getLogger(__name__)

VERIFIER = "code-2"  # part of a verdict's identity: raise it when extraction, test reading or the harness change
RETRY_REASON_PREFIX = "sandbox"  # such a verdict tells of this machine, not of the answer: not to be remembered
NO_SANDBOX = "none"
BATCH = 32
MEASURED = pl.Schema(dict.fromkeys(["key", "verdict", "reason", "detail", "sandbox"], pl.String))
FENCE = re.compile(r"^[ \t]*```[ \t]*(?P<language>[\w+.-]*)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
PYTHON = {"python", "python3", "py"}


def extract_code(answer: str) -> str | None:
    """The last fenced Python block of the answer; else its last unnamed block that is Python; else all of it.

    An answer without a fence has to define something to count as a program. A last block that was never closed runs to
    the end of the answer.
    """
    answer = answer.replace("\r\n", "\n")
    blocks = [(m["language"].lower(), textwrap.dedent(m["code"])) for m in FENCE.finditer(answer) if m["code"].strip()]
    if named := [code for language, code in blocks if language in PYTHON]:
        return named[-1]
    if unnamed := [code for language, code in blocks if not language and parse(code)]:
        return unnamed[-1]
    tree = parse(answer)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign
    return answer if tree and any(isinstance(node, definitions) for node in tree.body) else None


def verify(jobs: pl.DataFrame, limits: Code) -> Iterator[pl.DataFrame]:
    """Verdicts for `jobs` (key, answer or null, test_cases or null), in small frames as they finish.

    Yields key, verdict, reason, detail, sandbox. Reasons: `tests_passed`; the sandbox's status or `no_code` for a fail;
    `tests: …` or `sandbox: …` (RETRY_REASON_PREFIX) for an unverifiable row. Each job appears once, the ones that
    need no run first.
    """
    settled, keys, runnable = [], [], []
    for key, answer, test_cases in jobs.select("key", "answer", "test_cases").iter_rows():
        try:
            tests = read_cases(test_cases)
        except UnusableTests as error:
            settled.append((key, "unverifiable", f"tests: {error}", "", NO_SANDBOX))
            continue
        if (program := extract_code(answer or "")) is None:
            settled.append((key, "fail", "no_code", "", NO_SANDBOX))
            continue
        keys.append(key)
        runnable.append(Job(program, *tests))
    yield from frames(settled)
    if not runnable:
        return
    try:
        with open_sandbox(limits) as sandbox:
            outcomes = zip(keys, sandbox.run_many(runnable), strict=True)
            yield from frames((key, *verdict(outcome), sandbox.name) for key, outcome in outcomes)
    except SandboxUnavailable as error:
        logger.error("%d code answers can not be verified: %s", len(runnable), error)
        yield from frames((key, "unverifiable", "sandbox: unavailable", str(error), NO_SANDBOX) for key in keys)


def verdict(outcome: Outcome) -> tuple[str, str, str]:
    """(verdict, reason, detail) of one run."""
    if outcome.status == "pass":
        return "pass", "tests_passed", outcome.detail
    if outcome.status == "sandbox_error":
        return "unverifiable", f"{RETRY_REASON_PREFIX}: run failed", outcome.detail
    return "fail", outcome.status, outcome.detail


def frames(rows: Iterable[tuple[str, ...]]) -> Iterator[pl.DataFrame]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield pl.DataFrame(batch, MEASURED, orient="row")
            batch = []
    if batch:
        yield pl.DataFrame(batch, MEASURED, orient="row")
