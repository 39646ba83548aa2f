"""How the columns of files of one's own are read: entries of `sources.yaml`, proposed after a look at the rows.

A person sees what is proposed, and it is written down; what decides without a person is `forms.py`, which guesses not.

for shape in shapes("questions.jsonl", Path.cwd()):
    print(shape.entry, shape.found.counts, shape.ignored)
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from am_assets.config.files import parse
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.beside import IDS, LICENSE
from am_assets.datasets.chats import is_chat
from am_assets.datasets.column_names import NAMES, plain
from am_assets.datasets.forms import recognised
from am_assets.datasets.inspection import UNSAID, Inspection, inspected
from am_assets.datasets.locate import SourceError, find_files
from am_assets.datasets.objects import is_objects
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import form_of
from am_assets.datasets.records import read_records
from am_assets.datasets.rows import some_of
from am_assets.datasets.sources import Source

ROWS = 1_000  # looked at
OWN = "jsonl"  # the form whose columns may have any name
SOLUTION = "solution"  # a column of it is an answer where it is short, a response where it thinks, and else neither
TESTS = "test"  # in the name of a column: what is in it neither asks nor answers
OPTIONS = frozenset({"choices", "options"})  # of multiple choice, which are not shown
UNFIT = re.compile(r"test|reject|wrong|incorrect|bad")  # in the name of a column: no responses to be released
UNNAMED = "unknown"  # the teacher of responses that nobody names
SHORT = 40  # characters: a column of nothing longer has answers to compare with, and no responses
THINKS = re.compile(
    r"</?(seed:)?(think(ing)?|thought|reasoning)>|\[THINK\]|◁think▷|<\|(begin_of|START_)?_?THOUGHT", re.I
)


@dataclass(frozen=True)
class Shape:
    """Rows of a location that ask in one column, and how they are read."""

    asks: str  # the column
    entry: dict[str, Any]  # of `sources.yaml`, without a rank
    found: Inspection
    ignored: list[str]  # columns that nothing is read from
    thinks: bool  # whether a response has a think part

    @property
    def options(self) -> str | None:
        """The column of the options of multiple choice, which are not shown."""
        return next((name for name in self.ignored if plain(name) in OPTIONS), None)


def shapes(location: str, base: Path, given: Mapping[str, Any] | None = None) -> list[Shape]:
    """How the rows of a location are read, one shape for each column that questions stand in; `given` are fields of the
    entry that the user names, by which there is one shape.

    `SourceError` where there is no file, and where nothing in it is a question.

    >>> [shape.entry["columns"] for shape in shapes("mine.csv", Path.cwd())]
    [{'question': 'Aufgabe', 'reference_answer': 'gold'}]
    """
    files = find_files(location, base)
    read = chain.from_iterable(islice(read_records(file), ROWS) for file in files)
    rows = [row for _, row in islice(read, ROWS) if isinstance(row, dict)]
    if given and any(given.values()):
        named = {name: value for name, value in given.items() if value}
        return [_shape("", [{"location": location, "adapter": OWN, **named}], rows, base)]
    asking = [(name, row) for row in rows if (name := _asks(row))]
    if not asking:
        raise SourceError(
            f"{files[0]}: nothing in it is a question: its columns are"
            f" {some_of(list(dict.fromkeys(chain.from_iterable(rows)))) or 'none'}; name the one that asks, as in"
            " --column question=COLUMN"
        )
    columns = [name for name in _order(rows) if any(name == one for one, _ in asking)]
    found = []
    for at, name in enumerate(columns):
        own = [row for one, row in asking if one == name]
        all_ask = columns == [name] and all(_there(row.get(name)) for row in rows)
        where = {} if all_ask else {"where": _condition(name, columns[:at], rows)}
        forms = [{"adapter": form} for form in _forms(own, str(files[0]))]
        entries = [{"location": location} | entry | where for entry in (*forms, *_mapped(own))]
        found.append(_shape(name, entries, own, base))
    return found


def guesses(location: str, base: Path) -> list[Shape]:
    """The shapes of a location; none where its columns tell the form without a guess, or nothing there asks."""
    try:
        found = shapes(location, base)
    except SourceError:
        return []
    try:
        form = form_of(Origin(location=location), find_files(location, base)[0])
    except SourceError:  # none is known, or several are
        return found
    plain = {name: value for name, value in found[0].entry.items() if name not in ("teacher", "where")}
    return [] if len(found) == 1 and plain == {"location": location, "adapter": form} else found


def _shape(asks: str, entries: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], base: Path) -> Shape:
    """The shape by the entry that reads most; the first of those that read as much, or nearly so if it is published."""
    tried = [(entry, inspected(parse(Source, entry | {"rank": 1, "limit": ROWS}, entry["location"]), base))
             for entry in entries]  # fmt: skip
    best = max(tried, key=lambda one: _read(one[1]))
    published = "columns" not in tried[0][0] and _fits_most(tried[0][1], best[1])
    entry, found = tried[0] if published else best
    if not found.counts["questions"]:
        told = "; ".join(f"{why}: {where}" for why, where in found.told.dropped().items())
        raise SourceError(f"{entry['location']}: nothing in it is a question{f': {told}' if told else ''}")
    columns = {name: path for name, path in entry.get("columns", {}).items() if found.columns.get(name)}
    fields = ADAPTERS[entry["adapter"]].fields
    columns = {name: path for name, path in columns.items() if path != fields[name].path}  # which needs no saying
    entry = {name: value for name, value in entry.items() if name != "columns"}
    entry |= {"columns": columns} if columns else {}
    unnamed = {"teacher": UNNAMED} if found.teachers[UNSAID] else {}
    used = {path.split(".")[0] for path in found.columns.values() if path} | {*found.columns.values()}
    ignored = [name for name in dict.fromkeys(chain.from_iterable(rows)) if name not in {*used, *IDS, LICENSE}]
    thinks = bool(found.columns.get("reasoning")) or any(THINKS.search(str(row)) for row in rows)
    return Shape(asks, entry | unnamed, found, ignored, thinks and found.counts["responses"] > 0)


def _read(found: Inspection) -> tuple[int, int]:
    """How much an entry reads: questions first, then what they can be answered or checked by."""
    rows = found.told.rows
    return found.counts["questions"], sum(min(count, rows) for count in found.counts.values())


def _fits_most(form: Inspection, best: Inspection) -> bool:
    """Whether a form reads most rows, and of each as much as the entry that reads more rows: the others are faulty."""
    most = 2 * form.counts["questions"] >= form.told.rows
    return most and _read(form)[1] * best.counts["questions"] >= _read(best)[1] * form.counts["questions"]


def _forms(rows: Sequence[dict[str, Any]], file: str) -> Iterator[str]:
    """The published form that rows fit, if it is one."""
    try:
        found = recognised(rows, file)
    except SourceError:  # none, or several
        return
    if found != OWN:
        yield found


def _mapped(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The forms of any names of columns, by names and values: chats, solutions that box their answer, OWN."""
    columns = _columns(rows)
    asks = columns.get("question", "")
    if any(is_chat(row.get(asks)) for row in rows):
        beside = {name: path for name, path in columns.items() if name in ADAPTERS["chat"].fields}
        yield {"adapter": "chat", "columns": {"messages": asks} | beside}
    solution = next((name for name in dict.fromkeys(chain.from_iterable(rows)) if plain(name) == SOLUTION), None)
    if solution and "shown_above" not in columns and "shown_below" not in columns:
        yield {"adapter": "math", "columns": {"question": asks, "solution": solution}}
    kinds_of_tests = ADAPTERS["codecontests"].fields.keys() - {"question"}
    if not kinds_of_tests.isdisjoint(chain.from_iterable(rows)):
        yield {"adapter": "codecontests", "columns": {"question": asks}}
    yield {"adapter": OWN, "columns": columns}


def _there(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _order(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns in which a question may stand, the likeliest first."""
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    published = {path.split(".")[0] for one in ADAPTERS.values() for path in _question_paths(one.fields)}
    likely = {name: NAMES["question"].index(plain(name)) for name in names if plain(name) in NAMES["question"]}
    inner = [name for name in names if name not in likely and (name in published or _inner(rows, name))]
    return [*sorted(likely, key=likely.__getitem__), *inner]


def _question_paths(fields: Mapping[str, Any]) -> list[str]:
    asked = fields.get("question") or fields.get("messages")
    return [path for path, _ in asked.paths] if asked else []


def _inner(rows: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Whether a struct has a question in it."""
    return any(plain(key) in NAMES["question"] for row in rows if isinstance(row.get(name), dict) for key in row[name])


def _asks(row: Mapping[str, Any]) -> str | None:
    """The column in which the question of a row stands; None where it has none."""
    return next(
        (name for name in _order([row]) if _there(row[name]) and isinstance(row[name], str | list | dict)), None
    )


def _condition(name: str, earlier: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """In SQL, that a row asks in a column and in none of the earlier ones, where an empty text may stand for null."""

    def quoted(column: str) -> str:
        return '"' + column.replace('"', '""') + '"'

    blank = {column for column in (name, *earlier) if any(row.get(column) == "" for row in rows)}
    absent = [f"{quoted(one)} IS NULL" + (f" OR {quoted(one)} = ''" if one in blank else "") for one in earlier]
    there = f"{quoted(name)} <> ''" if name in blank else f"{quoted(name)} IS NOT NULL"
    return " AND ".join([there, *(f"({one})" if " OR " in one else one for one in absent)])


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The paths of the fields of OWN, by the names and the values of columns."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            within = {} if TESTS in plain(name) else _struct(value)
            for path, one in [(name, value), *((f"{name}.{key}", inner) for key, inner in within.items())]:
                if _there(one):
                    values.setdefault(path, []).append(one)
    found: dict[str, str] = {}
    for field, names in NAMES.items():
        fitting = [path for path in values if plain(path) in names and not _is_read(path, found.values())]
        fitting = [path for path in fitting if _fits(field, path, values[path])]
        if fitting:
            found[field] = min(fitting, key=lambda path: (names.index(plain(path)), path.count(".")))
    if "test_cases" in found and plain(found.get("reference_answer", "")) == SOLUTION:
        del found["reference_answer"]  # a program
    if "response" not in found and (text := found.get("reference_answer")) and _responds(values[text]):
        found["response"] = found.pop("reference_answer")
    elif "reference_answer" not in found and (text := found.get("response")) and _answers(values[text]):
        found["reference_answer"] = found.pop("response")
    if "response" not in found and (thinking := _thinking(values, found.values())):
        found["response"] = thinking
    return found


def _thinking(values: Mapping[str, Sequence[Any]], read: Iterable[str]) -> str | None:
    """The first column that is not read, whatever its name, of which most begin with a thought; prompts only tell of
    such tags."""
    for path, several in values.items():
        thoughts = sum(isinstance(one, str) and bool(THINKS.match(one.lstrip())) for one in several)
        if 2 * thoughts > len(several) and not _is_read(path, read) and not UNFIT.search(plain(path)):
            return path
    return None


def _is_read(path: str, read: Iterable[str]) -> bool:
    """Whether a path, or one within it, is read as something else."""
    return any(one == path or one.startswith(f"{path}.") for one in read)


def _struct(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _fits(field: str, path: str, values: Sequence[Any]) -> bool:
    """Whether the values of a column can be those of a field, so far as their kind tells."""
    if plain(path.partition(".")[0]) in OPTIONS:
        return False
    if plain(path) == SOLUTION and not _answers(values):
        return any(THINKS.search(str(one)) for one in values)
    if field.startswith("shown_"):
        return all(isinstance(one, str) for one in values)
    if field == "question" and any(isinstance(one, list) and not isinstance(one[0], dict) for one in values):
        return False
    if field == "response" and any(map(is_objects, values)):
        return True
    if field in ("question", "response"):
        return all(isinstance(one, str | list) and not _numbers(one) for one in values)
    if field == "test_cases":
        return all(isinstance(one, str | list | dict) for one in values)
    return field in ("constraints", "finish_reason") or not any(isinstance(one, dict) or is_chat(one) for one in values)


def _numbers(value: Any) -> bool:
    return (
        isinstance(value, list) and not is_chat(value) and not all(isinstance(one, str | dict | None) for one in value)
    )


def _responds(values: Sequence[Any]) -> bool:
    """Whether texts are responses of a model, which think or go on for some lines."""
    return any(THINKS.search(text := str(one)) or ("\n" in text.strip() and len(text) > 5 * SHORT) for one in values)


def _answers(values: Sequence[Any]) -> bool:
    """Whether texts are answers to compare with, and no responses."""
    return not _responds(values) and all(len(str(one)) <= SHORT and not is_chat(one) for one in values)
