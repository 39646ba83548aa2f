"""Which columns of one's own files hold the options of multiple choice, and which of them says what option is right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from am_assets.datasets.column_names import plain
from am_assets.datasets.column_values import OPTIONS, there
from am_assets.datasets.options import counted, letters, shown_in
from am_assets.datasets.values import written

FIELDS = "ABCDE"  # of `choices`, for files with a column for each option
EACH = "(op|opt|option|choice|answer|ending|sol)?"  # what such columns are called before a letter or a number
COUNTS = [("abcde", r"[a-e]"), ("01234", r"\d"), ("12345", r"\d")]
ANSWERS = "answers"  # options where a label beside them says which, and else answers
LABELS = (
    *("answerkey", "label", "correctoption", "answeridx", "answerindex", "correctindex", "correct", "correctanswer"),
    *("answer", "target", "gold", "expectedanswer"),
)


def options_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The columns of options by the fields of `choices`: one with all of them, or one for each.

    >>> options_of([{"question": "1 + 1?", "answerA": "2", "answerB": "3", "label": 1}])
    {'A': 'answerA', 'B': 'answerB'}
    """
    names = {name: plain(name) for row in rows for name in row}
    labelled = not {"label", "correct"}.isdisjoint(names.values())
    listed = [name for name, said in names.items() if said in OPTIONS or (labelled and said == ANSWERS)]
    for name in listed:
        if any(isinstance(value := written(row.get(name)), list | dict) or shown_in(str(value)) for row in rows):
            return {"options": name}
    texts = {said: name for name, said in names.items() if all(isinstance(row.get(name), str | None) for row in rows)}
    for keys, key in COUNTS:
        for found in filter(None, (re.fullmatch(EACH + key, said) for said in texts)):
            several = [texts.get(f"{found[1] or ''}{one}") for one in keys]
            several = several[: several.index(None)] if None in several else several
            if len(several) > 1 and (found[1] or key == r"[a-e]"):
                return {field: name for field, name in zip(FIELDS, several, strict=False) if name}
    return {}


def labels_of(
    rows: Sequence[Mapping[str, Any]], options: Mapping[str, str], reference: str | None
) -> Iterator[tuple[dict[str, str], bool]]:
    """The columns that may say which option is right, by the fields of `choices`, and whether nothing else can be meant
    by what they hold. A number counts the options from 0 or from 1 where some row tells which."""
    names = dict.fromkeys([reference, *sorted((n for row in rows for n in row if plain(n) in LABELS), key=_likely)])
    for name in [one for one in names if one and one not in options.values()]:
        told = [(_said(row[name]), _count(row, options)) for row in rows if there(row.get(name))]
        marks = bool(told) and all(_marks(said, count) for said, count in told)
        yield {"answer": name}, marks
        if marks:
            yield from ((field, marks) for field in _counted(name, told))


def counts_of(rows: Sequence[Mapping[str, Any]], question: str, reference: str) -> Iterator[dict[str, str]]:
    """The field of `choices` for a column of numbers that count options which the questions show."""
    beside = [(_said(row.get(reference)), str(row.get(question))) for row in rows]
    if 2 * sum(counted(*one) for one in beside) > len(rows):
        yield from _counted(reference, [(said, len(shown)) for said, asked in beside if (shown := shown_in(asked))])


def _said(value: Any) -> str:
    return str(value).strip().removesuffix(".0")  # as pandas writes whole numbers


def _counted(name: str, told: Sequence[tuple[str, int]]) -> Iterator[dict[str, str]]:
    """The field for the column `name` of numbers, each beside so many options, where some row tells what it is."""
    if all(said.isdigit() for said, _ in told):
        if any(int(said) == 0 for said, _ in told):
            yield {"answer_from_0": name}
        elif any(int(said) == count for said, count in told):
            yield {"answer_from_1": name}


def _marks(said: str, options: int) -> bool:
    """Whether a text says which option, and nothing without the options."""
    return int(said) <= options if said.isdigit() else letters(said.upper().removesuffix(".")) is not None


def _likely(name: str) -> int:
    return LABELS.index(plain(name))


def _count(row: Mapping[str, Any], options: Mapping[str, str]) -> int:
    """How many options a row has."""
    if "options" not in options:
        return sum(there(row.get(name)) for name in options.values())
    value = written(row.get(options["options"]))
    value = value["text"] if isinstance(value, dict) and isinstance(value.get("text"), list) else value
    return len(value) if isinstance(value, list | dict) else len(shown_in(str(value)))
