"""What names of sources, benchmarks and recipes may look like, and how many there may be: they are partition keys."""

import re

NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")  # a name is a part of paths, too
# Dagster reports no staleness along an edge with 100 or more upstream partitions.
MOST_PARTITIONS = 99


def name_fault(kind: str, name: object) -> str | None:
    """Why `name` cannot name a source, a benchmark or a recipe (`kind`); None where it can.

    >>> name_fault("source", "GSM 8K")
    "a source's name may hold a-z, 0-9, _, -, and dots between them only"
    """
    return None if NAME.fullmatch(str(name)) else f"a {kind}'s name may hold a-z, 0-9, _, -, and dots between them only"
