"""Many fields, tried in as many processes as there are cores."""

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from am_assets_tests.rebuild import small
from am_assets_tests.rebuild.compare import LATE, Finished, Trial, try_field, try_scores_that_come_late
from am_assets_tests.rebuild.fields import Field


def try_all(fields: list[Field], folder: Path, processes: int | None = None) -> Iterator[Trial]:
    """What comes of the edit of each field, and of scores that come late, in the order in which they end; `folder` is
    for the projects."""
    finished = Finished(folder / "finished")
    (folder / "finished").mkdir()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=context) as pool:
        pool.submit(_finish, finished).result()
        for ended in as_completed([pool.submit(_try, field, finished, folder) for field in [None, *fields]]):
            yield ended.result()


@cache
def _models() -> small.Models:
    return small.Models()


def _finish(finished: Finished) -> None:
    finished.make(_models())


def _try(field: Field | None, finished: Finished, folder: Path) -> Trial:
    with tempfile.TemporaryDirectory(dir=folder, prefix="trial-") as scratch:
        try:
            if field is None:
                return try_scores_that_come_late(finished, _models(), Path(scratch))
            return try_field(field, finished, _models(), Path(scratch))
        except Exception as error:  # one field's, and all of them are to be told of
            where = traceback.extract_tb(error.__traceback__)[-1]
            return Trial(field.name if field else LATE, wrong=[f"{type(error).__name__} in {where.name}: {error}"])
