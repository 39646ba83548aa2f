"""What names of sources, benchmarks, recipes and experiments may look like, and how many there may be: they are
partition keys."""

import re

NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")  # a name is a part of paths, too
# Dagster reports no staleness along an edge with 100 or more upstream partitions.
MOST_PARTITIONS = 99
BETWEEN = "--"  # an experiment's name and its variant's


def name_fault(kind: str, name: object) -> str | None:
    """Why `name` cannot name a source, a benchmark or a recipe (`kind`); None where it can.

    >>> name_fault("source", "GSM 8K")
    "a source's name may hold a-z, 0-9, _, -, and dots between them only"
    """
    return None if NAME.fullmatch(str(name)) else f"a {kind}'s name may hold a-z, 0-9, _, -, and dots between them only"


def variant_key(experiment: str, variant: str) -> str:
    """The partition key of the recipe that a variant of an experiment is.

    >>> variant_key("strictness", "relaxed")
    'strictness--relaxed'
    """
    return f"{experiment}{BETWEEN}{variant}"


def part_fault(kind: str, name: object) -> str | None:
    """Why `name` cannot be a part of `variant_key`; None where it can."""
    if BETWEEN in str(name) or str(name) != str(name).strip("-"):
        return f"a {kind}'s name may hold no {BETWEEN}, and no - at its ends"
    return name_fault(kind, name)
