"""From a value of a data file to text, the way along a path into it, and the fault of a row that holds something else.

Nothing is guessed: what is neither the text nor the number that a field is read as makes its row a counted drop.
"""

import ast
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from am_assets.datasets.delimiters import TAGS

SPOKEN_PARTS = ("text", "input_text", "output_text")
THOUGHT_PARTS = ("thinking", "reasoning", "redacted_thinking")  # read by `chats.py`, no part of what is said
HEAD = 100  # characters, of which the first tag is
JSON_IN_JSON = 3  # texts within texts that are looked into
BEGINS_AS_JSON = re.compile(r'(?!""")[\s"\\]*[\[{]+\s*\\*"')  # an object, or a list of texts, lists or objects
BY_PYTHON = ("{'", "[{'", "['")  # how what Python wrote begins
BY_NUMPY = re.compile(r"['\"]\s+['\"]")  # between the texts of its lists, which Python reads as one
TAGGED = tuple(dict.fromkeys(tag.lower() for tag in TAGS))
# No such field; a list with fewer items; text on the way to a field that begins as JSON and is none.
ABSENT, SHORT, BROKEN = object(), object(), object()


class Fault(ValueError):
    """A row can't be read. The message is the reason that its drop is counted under: it names the field, no value."""


def kind(value: Any) -> str:
    """What a message calls a value.

    >>> kind([1]), kind(None)
    ('a list', 'null')
    """
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object", str: "text"}
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")


def shown(word: Any, most: int = 20) -> str:
    """A name or a word of a file in a message: at most so many characters, and none that a terminal acts on."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(word)[:most])


def text(value: Any) -> str | None:
    """Text, or the texts of a list of content parts as one; None for null. `Fault` for anything else."""
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        return clean("".join(_spoken(part) for item in value for part in _parts_in(item)))
    raise Fault(f"expected text, found {kind(value)}")


def _parts_in(item: dict[str, Any]) -> list[Any]:
    """The parts of a message among the items of OpenAI's Responses; a part as it is."""
    parts = item.get("content") if item["type"] == "message" else None
    typed = isinstance(parts, list) and all(isinstance(part, dict) and "type" in part for part in parts)
    return parts if typed and parts else [item]


def typed(content: Any) -> Any:
    """Content as Gemini has it, an object of parts or the parts, of which each is what it holds, as parts with their
    types; any other as it is.

    >>> typed({"parts": [{"text": "2+2", "thought": True}, {"text": "4"}]})
    [{'type': 'thinking', 'text': '2+2'}, {'type': 'text', 'text': '4'}]
    """
    parts = content.get("parts") if isinstance(content, Mapping) else content
    if not isinstance(parts, list) or any(not isinstance(part, Mapping) or "type" in part for part in parts):
        return content
    return [{"type": _type(part), "text": part.get("text")} for part in parts]


def _type(part: Mapping[str, Any]) -> str:
    there = [name for name, value in part.items() if value is not None]
    return "thinking" if part.get("thought") is True else "text" if "text" in there else next(iter(there), "text")


def _spoken(part: dict[str, Any]) -> str:
    if part["type"] in THOUGHT_PARTS:
        return ""
    if part["type"] not in SPOKEN_PARTS:
        raise Fault(f"holds a part of type {shown(part['type'])}")
    if not isinstance(part.get("text"), str):
        raise Fault(f"holds a part of type {part['type']} whose text is {kind(part.get('text'))}")
    return str(part["text"])


def scalar(value: Any) -> str | None:
    """Text, a number or a boolean as text; None for null and for NaN. `Fault` for anything else.

    >>> scalar(42.0), scalar(1e22), scalar(float("nan")), scalar(True)
    ('42', '10000000000000000000000', None, 'true')
    """
    if value is None or isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise Fault("a number beyond what can be read")
        plain = format(Decimal(str(value)), "f")  # no exponent: verifiers read 1e+22 as a product
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, date | datetime):
        return value.isoformat()
    return text(value)


def scalars(value: Any) -> list[str]:
    """The distinct texts that are not blank of a list of scalars, or of a single one, in order."""
    items = value if isinstance(value, list) else [value]
    found = [item for item in map(scalar, items) if item and item.strip()]
    return list(dict.fromkeys(found))


def parsed(value: Any) -> Any:
    """The value that a text holds as JSON, also within JSON text; any other value as it is.

    >>> parsed('"[1, 2]"'), parsed("x = [1]")
    ([1, 2], 'x = [1]')
    """
    for _ in range(JSON_IN_JSON):
        if not (isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"')):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def thinks(said: str) -> bool:
    """Whether a text has a think part, however it is spelt."""
    said = said.lower()
    return any(tag in said for tag in TAGGED)


def begins_to_think(said: str) -> bool:
    return said.lstrip()[:HEAD].lower().startswith(TAGGED)


def written(value: Any) -> Any:
    """`parsed`, also of an object or a list that Python wrote; a text where it can't be read.

    >>> written("{'ground_truth': '42'}"), written("{'ground_truth': 4")
    ({'ground_truth': '42'}, "{'ground_truth': 4")
    """
    found = parsed(value)
    if isinstance(found, str) and found.lstrip().startswith(BY_PYTHON):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            read = ast.literal_eval(found)
            return found if isinstance(read, list) and len(read) == 1 and BY_NUMPY.search(found) else read
    return found


def listed(value: Any) -> Any:
    """Responses of a list that was written as text, as tables of text have it, where it begins with a thought; any
    other value as it is. `Fault` where it can't be read.

    >>> listed('["<think>a</think>4", "5"]'), listed("[1, 2]")
    (['<think>a</think>4', '5'], '[1, 2]')
    """
    if not isinstance(value, str) or not (begins := re.match(r"\s*\[\s*(?=['\"])", value)):
        return value
    if not begins_to_think(value[begins.end() + 1 :]):
        return value
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            found = read(value)
            if isinstance(found, list) and all(isinstance(one, str | None) for one in found):
                return found
    raise Fault("a list that was written as text and can't be read")


def broken(value: Any) -> bool:
    """Whether a value that `parsed` left a text begins as JSON: it was cut off, or is JSON in too many texts.

    >>> broken('{"inputs": ["1'), broken("[0, 1)"), broken("{x} = 1")
    (True, False, False)
    """
    return isinstance(value, str) and BEGINS_AS_JSON.match(value) is not None


def walk(value: Any, steps: list[str]) -> Any:
    """What the steps lead to in a value, or why to nothing: ABSENT, SHORT or BROKEN."""
    for step in steps:
        value = written(value) if isinstance(value, str) else value
        if broken(value):
            return BROKEN
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit():
            if int(step) >= len(value):
                return SHORT
            value = value[int(step)]
        elif value is None:
            return None
        else:
            return ABSENT
    return value


def clean(said: str) -> str:
    """`said` with NUL and lone surrogates, which readers of Parquet and tools behind them reject, as U+FFFD."""
    said = said.replace("\0", "\ufffd")
    try:
        said.encode()
    except UnicodeEncodeError:
        return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return said
