"""Words of somebody else, made fit for a message of ours: what a provider, a hub or a server says of an error.

They may hold a key that was sent, a page of HTML, control sequences of a terminal, and any number of characters.
"""

import os
import re
import unicodedata

MOST_QUOTED = 300  # characters
MOST_READ = 20_000  # of what is said; an HTML page says in its first lines what there is to say
LEAST_SECRET = 8  # characters; a shorter value could be a word
SECRET_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")  # of environment variables
LOOKS_SECRET = re.compile(r"\b(sk|key|Bearer)[-_ ][\w*-]{8,}")
TERMINAL = re.compile(  # control sequences with what they carry, such as the name of a window
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.S
)
PAGE = re.compile(r"\s*<(!doctype|html)\b", re.I)
TAGS = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", re.I | re.S)


def quoted(said: object, *secrets: str | None, most: int = MOST_QUOTED) -> str:
    """`said` on one line of at most `most` characters, without control characters, tags of a page, and secrets.

    A secret is each of `secrets` and every value of the environment whose variable's name ends as a secret's does; it
    is replaced whole, and in part as providers echo it.
    """
    words = TERMINAL.sub("", str(said)[:MOST_READ])
    if PAGE.match(words):
        words = f"<html> {TAGS.sub(' ', words)}"  # says that it was a page
    words = "".join(" " if char.isspace() else char for char in words if char.isspace() or _printable(char))
    words = " ".join(words.split())[: 4 * most]  # enough to find secrets in what will be left, and quickly
    named = [value for name, value in os.environ.items() if SECRET_NAMES.search(name.upper())]
    for secret in {*filter(None, secrets), *named}:
        words = _without(words, secret)
    words = LOOKS_SECRET.sub("***", words)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _printable(char: str) -> bool:
    """Not so: control and format characters, which turn the direction of a line or hide it, and halves of pairs."""
    return unicodedata.category(char)[0] != "C"


def _without(words: str, secret: str) -> str:
    if len(secret) < LEAST_SECRET or len(secret.split()) != 1:
        return words
    words = words.replace(secret, "***")
    first, last = (re.escape(part) for part in (secret[:4], secret[-4:]))
    start, end = (re.escape(part) for part in (secret[:6], secret[-6:]))
    more = r"[\w*.…-]{0,200}"
    whole_or_part = rf"{first}{more}{last}|{start}{more}|{more}{end}|{first}[*…]{more}|[*…]{more}{last}"
    return re.sub(whole_or_part, "***", words)
