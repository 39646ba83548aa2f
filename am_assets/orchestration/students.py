"""Trained students that the memo knows: by a hash of the rows, the untrained student and the policy."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.engines.models.folders import no_model
from am_assets.runtime import progress
from am_assets.storage.copies import of
from am_assets.storage.memo import Memo, key_of
from am_assets.training import earlier, sft

NAMESPACE = "training"
WAIT_SECONDS = 2.0  # between looks at a training of another process
FOLDER = "folder"  # of the checkpoint, where it is not named by the key


def trained(memo: Memo, checkpoints: Path, identity: str, content: str, by: Sequence[Any]) -> dict[str, Any] | None:
    """The row of the memo on a student trained on rows of that `content`, if its checkpoint is there. `by` is the rest
    of what identifies it. One that an earlier version made is known by `identity` from now on."""
    return _known(memo, checkpoints, [identity, *(key_of(version, content, *by) for version in sft.EARLIER)])


@contextmanager
def claimed(memo: Memo, identity: str, known: Callable[[], dict[str, Any] | None]) -> Iterator[dict[str, Any] | None]:
    """What is `known` of a student; None for the one process that is to train it. Others wait until it is made."""
    wanted, waits = pl.DataFrame({"key": [identity]}), False
    while True:
        with memo.claims.claimed(NAMESPACE, wanted) as mine:
            made = known()
            if made or mine.height:
                yield made
                return
        if not waits:
            progress.message("another process trains this student: waiting for it")
        waits = True
        time.sleep(WAIT_SECONDS)


def trained_before(
    memo: Memo, checkpoints: Path, rows: pl.DataFrame, release: Path, by: Sequence[Any]
) -> dict[str, Any] | None:
    """The row on a student that an earlier version trained on these rows, as it knew them. They are put together for
    that only where the memo has a student of as many rows."""
    known = memo.known(NAMESPACE)
    if known is None:
        return None
    ours = known.filter(pl.col("rows") + pl.col("left_out") == rows.height)
    if FOLDER in ours.collect_schema():
        ours = ours.filter(pl.col(FOLDER).is_null())
    if ours.collect().is_empty():
        return None
    content = earlier.content(rows, release)
    if content is None:
        progress.message("students trained by earlier versions are not looked for: no room in memory for all texts")
        return None
    return _known(memo, checkpoints, [key_of(version, content, *by) for version in sft.EARLIER])


def _known(memo: Memo, checkpoints: Path, identities: Sequence[str]) -> dict[str, Any] | None:
    """The latest row of the first of `identities` whose checkpoint is there."""
    known = memo.known(NAMESPACE)
    if known is None:
        return None
    rows = known.filter(pl.col("key").is_in(identities)).collect().to_dicts()
    for identity in identities:
        for row in reversed([row for row in rows if row["key"] == identity]):
            found = {**row, FOLDER: row.get(FOLDER) or identity}
            of(checkpoints).folder_here(checkpoints / found[FOLDER])
            if no_model(checkpoints / found[FOLDER]) is None:
                return found
    return None


def remember(memo: Memo, identity: str, student: dict[str, Any]) -> None:
    memo.append(NAMESPACE, pl.DataFrame([{**student, "key": identity}]).drop("stored_at", strict=False))
