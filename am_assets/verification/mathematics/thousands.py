"""Commas and blanks that may set off thousands, or elements."""

import re

from am_assets.verification.mathematics.normalization import SPACED_THOUSANDS
from am_assets.verification.mathematics.values import depths

THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d])(?!,\d)")


def with_commas(text: str) -> list[str]:
    """`text` without the commas of thousands, where they may be these, and with them, where they may be separators; the
    same of blanks.

    Three digits after a comma without a blank are thousands outside of brackets; in brackets only where the elements
    are set apart otherwise, as in (1,000, 2,000).
    """
    if SPACED_THOUSANDS.fullmatch(text):
        return [text.replace(" ", ""), text]
    groups = list(THOUSANDS.finditer(text))
    if not groups:
        return [text]
    depth = dict(depths(text))
    spaced = any(text[at + 1 : at + 2].isspace() for at in depth)
    without = text
    for group in reversed(groups):
        if spaced or depth[group.start() + group[0].index(",")] == 0:
            without = without[: group.start()] + group[0].replace(",", "") + without[group.end() :]
    return [without, text]
