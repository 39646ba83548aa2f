"""Texts of rows as pages show them: prose and programs apart, cut where they are very long, withheld where a screen
found a key or personal data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from am_assets.config.vocabulary import WITHHELD
from am_assets.runtime.quoting import visible
from am_assets.runtime.wording import counted

MOST_CHARS = 200_000  # of a text on a page
FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
LANGUAGES = {
    "python": "python", "python3": "python", "py": "python", "cpp": "cpp", "c++": "cpp", "c": "cpp", "java": "java",
    "js": "javascript", "javascript": "javascript", "json": "json", "bash": "bash", "sh": "bash",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """Prose, or a program in one of LANGUAGES; `language` is None for prose and "" where it is not known."""

    text: str
    language: str | None = None


def pieces(text: str | None) -> list[Piece]:
    """A text as prose and fenced programs, in order.

    >>> [piece.language for piece in pieces("So:\\n```python\\nx = 1\\n```")]
    [None, 'python']
    """
    if not text:
        return []
    shown, found, at = visible(text[:MOST_CHARS]), [], 0
    for fence in FENCE.finditer(shown):
        found += [Piece(shown[at : fence.start()])] if shown[at : fence.start()].strip() else []
        found.append(Piece(fence[2].rstrip("\n"), LANGUAGES.get(fence[1].lower(), "")))
        at = fence.end()
    found += [Piece(shown[at:])] if shown[at:].strip() else []
    if len(text) > MOST_CHARS:
        found.append(Piece(f"… {counted(len(text) - MOST_CHARS, 'more character')}"))
    return found


def program(text: str | None, language: str) -> list[Piece]:
    return [Piece(visible(text[:MOST_CHARS]), language)] if text else []


def withheld(findings: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Why a part of a response or its question is not shown, by part, of the findings of its screens."""
    by_part: dict[str, list[str]] = {}
    for finding in findings:
        if finding["screen"] in WITHHELD:
            by_part.setdefault(finding["part"], []).append(finding["screen"])
    return {part: f"not shown: {' and '.join(dict.fromkeys(names))}" for part, names in by_part.items()}
