"""Code verdicts: runs the program of an answer against the tests of its question in a sandbox.

`pass` only if every test passed; the outcome of each test is stored too, for recipes that require fewer. A fault of the
answer is a `fail`; a fault of the tests or the sandbox is `unverifiable`. Nothing of an answer is executed outside
`engines/sandbox/`; here it is at most parsed.
"""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from threading import Semaphore

import dataframely as dy
import polars as pl

from am_assets.config.instruments import Code
from am_assets.config.vocabulary import OUTCOMES, VERDICTS
from am_assets.datasets.checks import HAS_TESTS
from am_assets.engines.sandbox import Job, Outcome, Sandbox, SandboxUnavailable, Status, open_sandbox
from am_assets.engines.sandbox.protocol import Language
from am_assets.runtime import kept
from am_assets.verification.pass_threshold import settle_tests
from am_assets.verification.programs.blocks import other_language
from am_assets.verification.programs.instrumented_tests import Runnable
from am_assets.verification.programs.io_tests import over_stdin, read_cases
from am_assets.verification.programs.javascript import with_harness
from am_assets.verification.programs.lacking import lacking
from am_assets.verification.programs.linked import with_lists
from am_assets.verification.programs.prelude import with_prelude
from am_assets.verification.programs.solution import defines, extract_code, extract_function, extract_script
from am_assets.verification.programs.unit_tests import Lacking, UnusableTests
from am_assets.verification.verifiers.base import REASON, SECONDS, Verdicts, Verifier

logger = logging.getLogger(__name__)

VERSION = "code-8"  # part of a verdict's identity: raise it when extraction, test reading or the harness change
RETRY_REASON_PREFIX = "sandbox:"  # such a verdict is about this machine, not the answer, and is not memoized
NO_COMPILER = f"{RETRY_REASON_PREFIX} no compiler"
NO_SANDBOX = "none"
NO_COMMAND = pl.col("outcomes").list.contains("no_compiler").fill_null(False)  # of a language
BATCH = 32
AHEAD = 64  # jobs that the sandbox has at once
TEXTS = dict.fromkeys(["key", "verdict", "reason", "detail", "sandbox"], pl.String())
MEASURED = pl.Schema([*TEXTS.items(), ("outcomes", pl.List(pl.String))])


class CodeVerdicts(Verdicts):
    verdict = dy.Enum(VERDICTS, description="over all tests; a recipe may count only some of them")
    outcomes = dy.List(dy.Enum(OUTCOMES), description="of each test that ran, in order; empty where none did")
    detail = dy.String(description="last lines of the first error, for a person")
    sandbox = dy.String(description="docker, bubblewrap or none")


def verify(jobs: pl.DataFrame, limits: Code) -> Iterator[pl.DataFrame]:
    """Verdicts for `jobs` (key, answer or null, test_cases or null), in small frames as they finish.

    Yields MEASURED and SECONDS, a row for each job in their order. Reasons: `tests_passed` for a pass; the status of
    the first failed test or `no_code` for a fail; `tests: …`, `needs NAME`, `sandbox can't …` or, not memoized,
    `sandbox: …` (RETRY_REASON_PREFIX) for an unverifiable row. `outcomes`: a status per test, empty where nothing could
    be run; up to the first failure where `limits` stop there. Jobs are read as the sandbox takes them: of at most AHEAD
    the tests are in memory.

    >>> pl.concat(verify(jobs, Code()))
    """
    yield from frames(ended(jobs.select("key", "answer", "test_cases").iter_rows(), limits))


def ended(rows: Iterable[tuple], limits: Code) -> Iterator[tuple]:
    """Rows of MEASURED and SECONDS, in the order of `rows`; a sandbox is opened where any of them needs a run."""
    sandbox: Sandbox | SandboxUnavailable | None = None
    free = Semaphore(AHEAD)
    waiting: deque[Future[tuple] | tuple] = deque()  # a slow one at its head holds back rows, and no run
    with ExitStack() as opened:
        try:
            for key, answer, test_cases in rows:
                found = readied(answer, test_cases, limits)
                if not isinstance(found[0], Runnable):
                    waiting.append((key, *found, "", NO_SANDBOX, [], 0.0))
                    continue
                sandbox = sandbox or sandbox_of(limits, opened)
                if isinstance(sandbox, SandboxUnavailable):
                    why = str(sandbox)
                    waiting.append((key, "unverifiable", "sandbox: unavailable", why, NO_SANDBOX, [], 0.0))
                    continue
                free.acquire()
                tests, job = found
                run = sandbox.submit(job, partial(told, key, tests, job, sandbox.name))
                run.add_done_callback(lambda _: free.release())
                waiting.append(run)
                while waiting and (not isinstance(waiting[0], Future) or waiting[0].done()):
                    yield row_of(waiting.popleft())
            while waiting:
                yield row_of(waiting.popleft())
        finally:
            for left in waiting:
                if isinstance(left, Future):
                    left.cancel()


def row_of(end: Future[tuple] | tuple) -> tuple:
    return end.result() if isinstance(end, Future) else end


def readied(answer: str | None, test_cases: str | None, limits: Code) -> tuple:
    """The tests and the job that runs them; or verdict and reason where nothing is to be run."""
    try:
        tests = read_cases(test_cases, limits)
    except UnusableTests as error:
        return "unverifiable", str(error) if isinstance(error, Lacking) else f"tests: {error}"
    job = job_of(answer or "", tests, limits)
    return ("fail" if job == "no_code" else "unverifiable", job) if isinstance(job, str) else (tests, job)


def sandbox_of(limits: Code, opened: ExitStack) -> Sandbox | SandboxUnavailable:
    try:
        return opened.enter_context(kept.use(("sandbox", limits.model_dump_json()), lambda: open_sandbox(limits)))
    except SandboxUnavailable as error:
        logger.error("code answers can not be verified: %s", error)
        return error


def told(key: str, tests: Runnable, job: Job, sandbox: str, outcome: Outcome) -> tuple:
    found, outcomes = judged(tests, job, outcome)
    return key, *found, sandbox, outcomes, outcome.seconds


def job_of(answer: str, tests: Runnable, limits: Code) -> Job | str:
    """The program of an answer with its tests; the reason of the verdict where it has none that could be run."""
    language: Language
    if tests.is_script:
        if (found := extract_script(answer)) is None:
            return f"needs {name}" if (name := other_language(answer)) else "no_code"
        code, language = found
    else:
        taken, language = extract_code(answer, tests.wanted), "python"
        called = tests.function if tests.function and not defined_in(taken, tests.function) else None
        if called and (foreign := extract_function(answer, called)):
            return of_function(foreign, tests)
        if taken is None:
            return "no_code"
        code = taken
    if tests.function is not None:
        code = with_lists(code, tests.function)
    if limits.prelude and language == "python":
        code = with_prelude(code)
    return Job(code, tests.test_code, tests.entry_point, tests.is_script, tests.tests, language, tests.checker)


def defined_in(code: str | None, name: str) -> bool:
    return code is not None and defines(code, name, True)


def of_function(foreign: tuple[str, Language], tests: Runnable) -> Job | str:
    """Tests that call a function of a program in another language than Python."""
    code, language = foreign
    called = with_harness(code, str(tests.function)) if language == "javascript" else None
    if called is None:
        return f"sandbox can't call functions of {language} with these tests"
    return Job(called, over_stdin(tests).test_code, None, True, tests.tests, language)


def judged(tests: Runnable, job: Job, outcome: Outcome) -> tuple[tuple[str, str, str], list[Status]]:
    """(verdict, reason, detail) and outcomes of one sandbox run, whose error may be the fault of the tests."""
    found, ends = verdict(outcome), list(outcome.tests)
    if outcome.status == "exception" and (why := lacking(outcome.detail, job.program, tests)):
        found = "unverifiable", why, outcome.detail
        ends = ["undecided" if end == "exception" else end for end in ends]
    return found, ends


def verdict(outcome: Outcome) -> tuple[str, str, str]:
    """(verdict, reason, detail) of one sandbox run."""
    if outcome.status == "pass":
        return "pass", "tests_passed", outcome.detail
    if outcome.status == "sandbox_error":
        return "unverifiable", f"{RETRY_REASON_PREFIX} run failed", outcome.detail
    if outcome.status == "no_compiler":
        return "unverifiable", NO_COMPILER if outcome.detail == "needs g++" else outcome.detail, outcome.detail
    if outcome.status == "undecided":  # the first line says what the sandbox lacks or can't do
        return "unverifiable", outcome.detail.partition("\n")[0], outcome.detail
    return "fail", outcome.status, outcome.detail


def frames(rows: Iterable[tuple]) -> Iterator[pl.DataFrame]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield pl.DataFrame(batch, {**MEASURED, **SECONDS}, orient="row")
            batch = []
    if batch:
        yield pl.DataFrame(batch, {**MEASURED, **SECONDS}, orient="row")


VERIFIER = Verifier(
    name="code",
    doc="Whether the program passes its tests in the sandbox, for questions with tests. Where the sandbox can't be"
    " reached the verdict is `unverifiable` and not memoized: the next run tries those rows again.",
    version=VERSION,
    questions=HAS_TESTS,
    against="test_cases",
    precedence=10,
    verify=verify,
    measured=MEASURED,
    columns=CodeVerdicts,
    lineage={"verdict reason outcomes detail": "response_features.answer raw_pool.test_cases"},
    section="code",
    pool="sandbox",
    transient=REASON.str.starts_with(RETRY_REASON_PREFIX) | NO_COMMAND,
    hopeless=NO_COMMAND,
    drop_reason="failed_tests",
    settle=settle_tests,
    decides_on=("outcomes",),
)
