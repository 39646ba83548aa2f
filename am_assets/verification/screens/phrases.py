"""Phrases in the first person, as screens of what a teacher says of itself look for them: how they are written here,
found and shown."""

import re
from collections.abc import Callable

from am_assets.verification.screens.keys import secrets

SHOWN = 80  # characters of a finding
# What may be an address, a key or a number is shown of no phrase.
MASKED = re.compile(r"\S*@\S*|\S{25,}|\+?\d[\d ().-]{5,}\d")

MACHINE = (
    r"(?:AI|A\.I\.|artificial intelligence|(?:language |chat )?models?|LLM|chat ?bot|virtual assistant|AI assistant)"
)
MACHINE_ZH = r"(?:AI|人工智能|大?语言模型|大模型|智能助手|聊天机器人)"


def patterns(text: str) -> tuple[str, ...]:
    """The regular expressions in `text`, one a paragraph: the breaks of its lines and their indentation are no part."""
    return tuple("".join(line.lstrip() for line in one.splitlines()) for one in text.strip().split("\n\n"))


def confirm(*expressions: str) -> Callable[[str], str | None]:
    """A function that shows the earliest match of any of the expressions, whatever the case."""
    compiled = [re.compile(expression, re.IGNORECASE) for expression in expressions]

    def shown(text: str) -> str | None:
        matches = [match for regex in compiled if (match := regex.search(text))]
        if not matches:
            return None
        start, end = min(matches, key=lambda match: match.start()).span()
        for _, secret in secrets(text):  # of the whole text, since a phrase may end within a key
            text = text.replace(secret, "…" * len(secret))
        return MASKED.sub("…", " ".join(text[start:end].split()))[:SHOWN]

    return shown
