"""Reasons why a partition is stale, as text: the changed field of a file with its old and new value, where known."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from am_assets.config.changes import UNSET, Change, changes
from am_assets.datasets.exclusions import FILE as EXCLUDE
from am_assets.datasets.locate import SourceError
from am_assets.orchestration.tables import INSTRUMENT
from am_assets.planning.records import Made
from am_assets.planning.staleness import Cause, Staleness

# Why a partition has to be materialized again, or None; by its key and a materialization of it.
Root = Callable[[str, Made], str | None]
SHOWN = 3  # partitions listed of one asset


class Reasons:
    """`roots` compare assets with the files they are made from, which Dagster does not see."""

    def __init__(self, staleness: Staleness, roots: Mapping[str, Root]):
        self.staleness = staleness
        self.records = staleness.records
        self.roots = roots

    def of(self, key: dg.AssetKey, partition: str) -> str | None:
        """Why the partition is stale; empty where it is fresh, None where it was never materialized."""
        causes = self.staleness.causes(key, partition)
        if causes is None:
            return None
        root = self.roots.get(key.to_user_string())
        because = _of_root(root, partition, self.records.made(key)[partition]) if root else None
        reasons = (reason for cause in causes for reason in self._in_words(key, partition, cause))
        return because or "; ".join(dict.fromkeys(reasons))

    def _in_words(self, key: dg.AssetKey, partition: str, cause: Cause) -> Iterator[str]:
        made = self.records.made(key)[partition]
        if cause.parent is None:
            now = self.staleness.graph.get(key).metadata.get(INSTRUMENT)
            yield from _instrument(made.metadata.get(INSTRUMENT), now)
        elif cause.changed == "parents":
            yield f"what it reads changed: {cause.parent.to_user_string()}"
        else:
            yield from self._data(cause.parent, cause.partitions, made.read[cause.parent])

    def _data(self, parent: dg.AssetKey, partitions: tuple[str, ...], read: int | None) -> Iterator[str]:
        """For a root what changed in its file since, for any other table that it changed."""
        name, root = parent.to_user_string(), self.roots.get(parent.to_user_string())
        unexplained = []
        for at in partitions:
            then = self.records.made_then(parent, at, read) if root and read is not None else None
            because = _of_root(root, at, then) if root and then else None
            if because:
                yield because
            else:
                unexplained.append(at)
        if unexplained:
            more = f" and {len(unexplained) - SHOWN} more" if len(unexplained) > SHOWN else ""
            yield f"{name}[{', '.join(unexplained[:SHOWN])}{more}] changed"


def _of_root(root: Root, partition: str, made: Made) -> str | None:
    """A file that can't be read any more is a reason too: the run of this partition fails on it, others do not."""
    try:
        return root(partition, made)
    except SourceError as error:
        return f"its file can't be read: {error}"


def _instrument(before: Mapping[str, Any] | None, after: Any) -> list[str]:
    """What changed of what holds for every partition; never empty, as an empty reason would pass for none."""
    now = getattr(after, "value", after)
    found = changes(before, now) if before is not None and now is not None else ()
    said = [words for change in found for words in _of_instrument(change)]
    return said or ["its instrument, its code or the list of shards changed"]


def _of_instrument(change: Change) -> Iterator[str]:
    """A fact that is unset on one side was not declared there, or is that of a source which came or went."""
    fact, _, name = change.field.partition(".")
    if fact in ("shards", "ranks", "exclusions") and UNSET in (change.before, change.after):
        return
    if fact == "shards":
        yield from _shards(set(change.before), set(change.after))
    elif fact == "ranks":
        yield Change("rank", change.before, change.after).in_words(f"of source {name} in sources.yaml")
    elif fact == "exclusions":
        yield f"{EXCLUDE} changed"
    elif fact == "version":
        yield change.in_words("of its code")
    else:
        yield change.in_words("of instruments.yaml")


def _shards(before: set[str], after: set[str]) -> Iterator[str]:
    for words, names in {"added to": after - before, "taken out of": before - after}.items():
        if names:
            yield f"{', '.join(sorted(names))} was {words} sources.yaml"
