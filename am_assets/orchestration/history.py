"""Samples of rows in Dagster's records of earlier materializations, where it keeps them in SQLite below its home."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from am_assets.orchestration.dagster_internals import INDEX_SHARD_NAME, SQLITE_BUSY_TIMEOUT_SECONDS

OF = "run_id, asset_key, partition"
SAMPLE = "sample"  # metadata of every table, see `orchestration/samples.py`
MADE = "dagster_event_type = 'ASSET_MATERIALIZATION'"
WITH_METADATA = "dagster_event_type IN ('ASSET_MATERIALIZATION', 'STEP_OUTPUT')"


def blank_old_samples(home: Path) -> int:
    """Remove the sample from every materialization but the latest of each partition, and from the outputs of steps,
    which repeat it; returns the number of materializations.

    Nothing of a sample remains in the files, in pages that SQLite no longer uses neither.
    """
    folder = home / "history" / "runs"
    index = folder / f"{INDEX_SHARD_NAME}.db"
    if not index.exists():
        return 0
    latest = f"SELECT max(id), {OF} FROM event_logs WHERE {MADE} GROUP BY asset_key, partition"
    with closing(_open(index)) as database:
        kept = {row[1:] for row in database.execute(latest)}
    for path in folder.glob("*.db"):
        if path != index:  # the events of one run, which the index has too
            _blank(path, kept)
    return _blank(index, kept)


def _blank(path: Path, kept: set[tuple]) -> int:
    with closing(_open(path)) as database:
        events = database.execute(f"SELECT id, {OF}, event FROM event_logs WHERE {WITH_METADATA}")
        old = [(number, event) for number, *of, event in events if tuple(of) not in kept]
        blanked = [(again, number) for number, event in old if (again := _without_sample(event)) is not None]
        database.executemany("UPDATE event_logs SET event = ? WHERE id = ?", blanked)
        database.commit()
        if blanked:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(blanked)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=SQLITE_BUSY_TIMEOUT_SECONDS)


def _without_sample(event: str) -> str | None:
    """A serialized event with an empty sample; None where it has none."""
    content = json.loads(event)
    samples = [entry for entry in _samples(content) if entry.get("md_str")]
    for entry in samples:
        entry["md_str"] = ""
    return json.dumps(content) if samples else None


def _samples(content: Any) -> Iterator[dict]:
    """What stands under `sample` in lists and mappings of metadata, at any depth."""
    if isinstance(content, list):
        for one in content:
            yield from _samples(one)
    elif isinstance(content, dict):
        if content.get("label") == SAMPLE and isinstance(content.get("entry_data"), dict):
            yield content["entry_data"]
        for one in content.values():
            yield from _samples(one)
