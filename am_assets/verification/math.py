r"""Math verdicts: is the result an answer states equal to the reference?

Strings that spell the same result are settled at once; the rest goes, one row at a time, to worker processes that are
killed when a row takes too long, because math-verify (and sympy under it) may hang in C code where no signal arrives.
What an answer states is `stated.py`'s, what is equal `equality.py`'s.
"""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING

import polars as pl

from am_assets.instruments import Math
from am_assets.schema import VERDICTS
from am_assets.verification import equality
from am_assets.verification.stated import boxed, is_text, normal, results

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

VERIFIER = f"math-verify {version('math-verify')}, rules 1"  # raise the number when a rule of this package changes

WORKERS = 2
TASKS = 2_000  # rows a worker judges before it is replaced: sympy's caches only grow
BATCH = 256
KEPT_CHARS = 500  # of what was extracted
TEXT = pl.String()
MEASURED = pl.Schema({"key": TEXT, "verdict": pl.Enum(VERDICTS), "reason": TEXT, "extracted": TEXT})

NO_WORKERS = (
    "math verification: the worker processes do not start; a script that calls verify() must be a file and guard its "
    "main part with `if __name__ == '__main__':`"
)

Verdict = tuple[str, str, str | None]

OPTION = re.compile(r"\(?([A-J])\)?")
OPTION_CHOSEN = re.compile(r"\(?([A-J])(?:\)?$|[).:,].*)", re.DOTALL)
PLAIN_WORDS = re.compile(r"[a-z'-]+(?: [a-z'-]+){0,2}")


def verify(jobs: pl.DataFrame, limits: Math) -> Iterator[pl.DataFrame]:
    r"""Verdicts of `jobs` (key, answer, reference) as frames (key, verdict, reason, extracted), in row order.

    `answer` is the answer part alone, null where there is none. Its last `\boxed{}` counts, else what it states.
    pass: "equal". fail: "different", "answer missing", "several conflicting answers" (boxes that contradict one
    another or the statement after them). unverifiable: "reference unparseable" (words or symbols that differ, which
    no algebra can compare), "timeout" after `limits.timeout_seconds` for the row alone, "verifier error: …".
    Comma-separated references are compared as sets, as math-verify reads them. A batch is yielded while workers are
    busy with the next one.
    """
    with ExitStack() as cleanup:
        pool: ProcessPool | None = None
        waiting: deque[tuple[pl.Series, list[Verdict | ProcessFuture]]] = deque()
        for batch in jobs.select("key", "answer", "reference").iter_slices(BATCH):
            verdicts: list[Verdict | ProcessFuture] = []
            for _, answer, reference in batch.iter_rows():
                found = results(answer or "")
                verdict = settle(found, answer, reference)
                if verdict:
                    verdicts.append(verdict)
                    continue
                pool = pool or _start(cleanup)
                arguments = (found, answer, _bare(reference))
                verdicts.append(pool.schedule(equality.judge, arguments, timeout=limits.timeout_seconds))
            waiting.append((batch["key"], verdicts))
            if len(waiting) > 1:
                yield _frame(*waiting.popleft(), pool)
        for keys, verdicts in waiting:
            yield _frame(keys, verdicts, pool)


def settle(found: list[str], answer: str | None, reference: str | None) -> Verdict | None:
    """The verdict that needs no algebra, or None. On mathematics it is the one `equality.judge` would reach; words and
    the letters of options are settled here alone."""
    extracted = " | ".join(found) or None
    reference = _bare(reference or "")
    gold = normal(reference)
    if not gold:
        return "unverifiable", "reference unparseable", extracted
    if not answer or not answer.strip():
        return "fail", "answer missing", None
    if OPTION.fullmatch(gold) or is_text(reference):
        return _settle_text(found or [answer.strip().splitlines()[-1]], gold)
    if len(found) != 1:
        return None
    read = normal(found[0])
    if read == gold:
        return "pass", "equal", extracted
    whole_numbers = re.fullmatch(r"-?\d+", read) and re.fullmatch(r"-?\d+", gold)
    return ("fail", "different", extracted) if whole_numbers else None


def _settle_text(found: list[str], gold: str) -> Verdict:
    """Words can be told equal, and short plain ones different; of the rest nothing is known."""
    option = OPTION.fullmatch(gold)
    extracted = " | ".join(found)
    wanted = option[1] if option else gold.casefold()
    read = [_option(normal(result)) if option else normal(result).casefold() for result in found]
    if all(result == wanted for result in read):
        return "pass", "equal", extracted
    if wanted in read:
        return "fail", "several conflicting answers", extracted
    known = OPTION if option else PLAIN_WORDS
    mentioned = any(re.search(rf"\b{re.escape(wanted)}\b", result) for result in read)
    if all(known.fullmatch(text) for text in [wanted, *read]) and not mentioned:
        return "fail", "different", extracted
    return "unverifiable", "reference unparseable", extracted


def _option(text: str) -> str:
    chosen = OPTION_CHOSEN.fullmatch(text)
    return chosen[1] if chosen else text


def _bare(reference: str) -> str:
    return boxes[-1] if (boxes := boxed(reference)[0]) else reference.strip()


def _start(cleanup: ExitStack) -> "ProcessPool":
    """A pool of fresh processes; a forkserver that has sympy loaded makes replacing a killed one cheap."""
    import multiprocessing

    from pebble import ProcessPool

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["math_verify"])
    pool = ProcessPool(WORKERS, max_tasks=TASKS, initializer=equality.prepare_worker, context=context)
    cleanup.callback(pool.join)
    cleanup.callback(pool.stop)
    return pool


def _frame(keys: pl.Series, verdicts: "list[Verdict | ProcessFuture]", pool: "ProcessPool | None") -> pl.DataFrame:
    rows = [verdict if isinstance(verdict, tuple) else _outcome(verdict, pool) for verdict in verdicts]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(["verdict", "reason", "extracted"], pl.String), orient="row")
    return frame.select(
        keys, pl.col("verdict").cast(pl.Enum(VERDICTS)), "reason", pl.col("extracted").str.head(KEPT_CHARS)
    )


def _outcome(future: "ProcessFuture", pool: "ProcessPool | None") -> Verdict:
    from concurrent.futures import BrokenExecutor, wait

    while (
        not wait([future], timeout=1).done and pool and pool.active
    ):  # a pool that breaks may leave a future open for ever
        pass
    try:
        return future.result(timeout=0)
    except BrokenExecutor as error:
        raise RuntimeError(NO_WORKERS) from error
    except TimeoutError as error:
        if not future.done():
            raise RuntimeError(NO_WORKERS) from error
        return "unverifiable", "timeout", None
    except Exception as error:  # whatever sympy raised, or the death of the worker: the row can't be told
        return "unverifiable", f"verifier error: {type(error).__name__}", None
