"""What adapters share: the declaration of one, and helpers for values. No form of data belongs here.

When a helper gives something else for the same row, raise the version of every adapter that uses it.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from am_assets.config.vocabulary import FINISH_REASONS
from am_assets.datasets.cases import canonical
from am_assets.datasets.chats import reply, with_thinking
from am_assets.datasets.rows import Field, Item, Parts, Row
from am_assets.datasets.values import Fault, clean, kind, text
from am_assets.runtime.wording import counted

__all__ = ["Adapter", "Fault", "Field", "Item", "Parts", "Row", "Said"]

T = TypeVar("T")
BOX = re.compile(r"\\(?:boxed|fbox)\s*")
JOINED = re.compile(r"[\s$.,;]*(?:\\text\s*\{\s*(?:or|and)\s*\}|or|and)?[\s$]*")
FUNCTION = re.compile(r"[A-Za-z_]\w*|[A-Za-z_]\w*\(\)\.[A-Za-z_]\w*")
ENDED = "stop"  # of FINISH_REASONS
INTERRUPTED = "an interrupted response, left out"
LEFT_OUT = {"length": "a response cut off by its token limit, left out"}
SEVERAL_BOXES = "several boxed answers, of which none is the reference"


@dataclass(frozen=True)
class Adapter:
    """One form of data.

    fields     what is read of a row, by the name that `read` uses; `columns:` of a source replaces their paths
    read       what a row is; raises `Fault` where the row does not fit
    version    raise it when the same row is read otherwise: only sources and benchmarks of this form become stale
    doc        what the form is for, in one line of Markdown
    signature  paths that files of this form have, `a|b` for one of two, `a~b` for one whose text holds b: by them the
               form is found where the entry names none
    over       forms that such files fit too, and that are not meant then
    example    a row in the published schema, with content of our own
    """

    fields: dict[str, Field]
    read: Callable[[Row], Item]
    version: str
    doc: str
    signature: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    example: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A column of published responses: text, or a list of texts; with the column of their thinking, and their teacher
    where the data set has one for all rows, the column that says why each of them ended, and whether it is a list in
    every row, so that text there would be a list that was written as text."""

    column: str
    thinking: str | None = None
    teacher: str | None = None
    ended: str | None = None
    listed: bool = False


def fields(question: str | Field, *optional: str, **others: Field) -> dict[str, Field]:
    """The fields of an adapter: the required one of the question, optional ones under their own names, and others.

    >>> fields("prompt", "response", answer=Field("answer", required=True))
    """
    asked = Field(question, required=True) if isinstance(question, str) else question
    return {"question": asked} | {name: Field(name) for name in optional} | others


def of_columns(
    question: str,
    *said: Said,
    reference: str | None = None,
    tests: str | None = None,
    entry_point: str | None = None,
    teacher: str | None = None,
    **declared: Any,
) -> Adapter:
    """An adapter of a form that has question, reference, tests and responses in columns of their own; `teacher` is the
    column that names who responded. `declared` are the other fields of `Adapter`.

    >>> of_columns("problem", Said("generations", teacher="deepseek-r1"), reference="answer", version="1", doc="…")
    """
    optional = {"reference_answer": reference, "test_cases": tests, "test_entry_point": entry_point, "teacher": teacher}
    columns = {name: Field(path) for name, path in optional.items() if path}
    for number, one in enumerate(said, start=1):
        columns[_numbered("response", number)] = Field(one.column)
        if one.thinking:
            columns[_numbered("reasoning", number)] = Field(one.thinking)
        if one.ended:
            columns[_numbered("finish_reason", number)] = Field(one.ended)

    def read(row: Row) -> Item:
        entry = row.text("test_entry_point") if entry_point else None
        responded, notes = [], set[str]()
        for number, one in enumerate(said, start=1):
            if one.listed and not isinstance(given := row.get(_numbered("response", number)), list | None):
                raise Fault(f"field `{one.column}`: expected a list of responses, found {kind(given)}")
            names = (_numbered(name, number) for name in ("response", "reasoning", "finish_reason"))
            whole, left_out = responses(row, *names)
            responded += [(row.text("teacher") if teacher else one.teacher, response) for response in whole]
            notes |= left_out
        return Item(
            row.text("question"),
            reference_answer=any_of(row.scalars("reference_answer")) if reference else None,
            test_cases=row.tests("test_cases", entry) if tests else None,
            responses=responded,
            notes=tuple(sorted(notes)),
        )

    return Adapter(fields(question, **columns), read, **declared)


def responses(row: Row, name: str, reasoning: str, finish_reason: str) -> tuple[list[str], set[str]]:
    """The texts of a field that holds one response or a list of them, each with the thinking beside it, and notes on
    those that are left out (`finished`)."""
    given = row.get(name)
    several = isinstance(given, list) and all(isinstance(one, str | None) for one in given)
    said = [clean(one or "") for one in given] if several else [one for one in [row.of(name, reply)] if one is not None]
    thoughts = _beside(row, reasoning, len(said))
    return finished(row, [*map(with_thinking, thoughts, said)], finish_reason)


def finished(row: Row, said: list[str], finish_reason: str) -> tuple[list[str], set[str]]:
    """The responses that ended by themselves, as far as the row says why each ended, and notes on the others: without
    their end they are no examples."""
    if finish_reason not in row.fields or row.get(finish_reason) is None:
        return said, set()
    return whole(said, _beside(row, finish_reason, len(said)))


def whole(said: list[T], reasons: Sequence[str | None]) -> tuple[list[T], set[str]]:
    """Those of `said` that ended by themselves, by the reason of each, and notes on the others."""
    ends = [FINISH_REASONS.get((reason or "").strip().lower()) for reason in reasons]
    kept = [one for one, end in zip(said, ends, strict=True) if end == ENDED]
    return kept, {LEFT_OUT.get(end or "", INTERRUPTED) for end in ends if end != ENDED}


def _beside(row: Row, name: str, count: int) -> list[str | None]:
    """The texts of a field beside so many responses: one each, or one for all. `Fault` for another number."""

    def texts(value: Any) -> list[str | None]:
        if not count:
            return []
        if not isinstance(value, list) or any(isinstance(one, dict) for one in value):
            return [text(value)] * count
        if len(value) != count:
            raise Fault(f"expected one for each of {counted(count, 'response')}, found {len(value)}")
        return [text(one) for one in value]

    return row.of(name, texts) if name in row.fields else [None] * count


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def any_of(answers: list[str]) -> str | None:
    """One reference that any of the answers meets; None without answers."""
    if len(answers) < 2:
        return clean(answers[0]) if answers else None
    return clean(json.dumps({"any_of": answers}, ensure_ascii=False, separators=(",", ":")))


def boxed(solution: str) -> list[str]:
    r"""The contents of all boxes in a worked solution, in order: `\boxed{…}` with balanced braces, `\boxed 7`, `\fbox`.

    For references. `verification/mathematics/extraction.py` reads answers of models by other rules (the outermost box
    that closes, escaped braces).

    >>> boxed(r"first \boxed 1, then \boxed {\frac{1}{2}}.")
    ['1', '\\frac{1}{2}']
    """
    return [content for content, _, _ in _boxes(solution)]


def boxed_reference(solution: str) -> tuple[str | None, tuple[str, ...]]:
    r"""The reference in a worked solution, and notes: what it boxes last. Boxes that only "or", "and" or a comma is
    between are one answer, which is no single value: it is noted, and there is no reference.

    >>> boxed_reference(r"so $\boxed{3}$ or $\boxed{5}$")
    (None, ('several boxed answers, of which none is the reference',))
    """
    boxes = _boxes(solution)
    if not boxes:
        return None, ()
    last, start, _ = boxes[-1]
    if len(boxes) > 1 and boxes[-2][0] != last and JOINED.fullmatch(solution[boxes[-2][2] : start]):
        return None, (SEVERAL_BOXES,)
    return last or None, ()


def with_parts(question: str | None, *parts: str) -> str | None:
    """A question with what is shown below it; as it is where it is empty, since the parts alone ask nothing."""
    return "\n\n".join([question, *parts]) if question and question.strip() else question


def with_starter(question: str | None, starter: str | None) -> str | None:
    """A question that shows the code which the answer has to complete, if there is any."""
    shown = f"Complete this code:\n```python\n{(starter or '').rstrip()}\n```"
    return with_parts(question, shown) if starter else question


def humaneval_tests(test: str | None, entry_point: str | None) -> str | None:
    """Tests that call `check` with a function or, as in LeetCodeDataset, with a method. `Fault` for another name, and
    where there is no `check`."""
    if not (test or "").strip():
        raise Fault("field `test`: no tests")
    if not FUNCTION.fullmatch(entry_point or ""):
        raise Fault("field `entry_point`: not a function name")
    return canonical({"test_code": f"{test}\n\ncheck({entry_point})\n", "test_entry_point": entry_point})


def constraints(pairs: Iterable[Any]) -> str | None:
    """Canonical JSON of constraints, each an object with its id and its settings; None without any.

    Settings that are null are left out: in Parquet a struct of settings has the fields of all constraints of the file.
    `Fault` where one is something else.
    """
    try:
        asked = [
            {"id": _text(one["id"]), "kwargs": {k: v for k, v in (one.get("kwargs") or {}).items() if v is not None}}
            for one in pairs
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Fault("expected constraints, each with its id and its settings") from None
    return clean(json.dumps(asked, sort_keys=True, ensure_ascii=False)) if asked else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _boxes(text: str) -> list[tuple[str, int, int]]:
    """Content, start and end of each box that closes; an unclosed one ends the search."""
    found, at = [], 0
    while match := BOX.search(text, at):
        start, at = match.start(), match.end()
        if text[at : at + 1] != "{":
            bare = re.match(r"[^\s$\\{}.,;]+|\\\w+", text[at:])
            at += bare.end() if bare else 1
            found += [(bare[0], start, at)] if bare else []
            continue
        depth = 0
        for position in range(at, len(text)):
            depth += (text[position] == "{") - (text[position] == "}")
            if depth == 0:
                break
        else:
            return []  # which of the boxes was meant can't be told
        found.append((text[at + 1 : position].strip(), start, position + 1))
        at = position + 1
    return found
