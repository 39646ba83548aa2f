"""Names that were probably meant, for messages about one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

ALIKE = 0.6  # similarity ratio of difflib from which a name counts as a misspelling


def alike(name: str, known: Iterable[str], ratio: float = ALIKE) -> str:
    """Up to three similar names as ` (did you mean a or b?)`; empty where there is none.

    >>> alike("treshold", ["threshold", "floor"])
    ' (did you mean threshold?)'
    """
    spelled = {one.lower(): one for one in known}
    near = [spelled[one] for one in get_close_matches(name.lower(), spelled, cutoff=ratio)]
    return f" (did you mean {' or '.join(near)}?)" if near else ""
