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
from am_assets.datasets.column_names import CHATS, NAMES, plain
from am_assets.datasets.column_values import OPTIONS, SOLUTION, columns_of, there
from am_assets.datasets.forms import fitting
from am_assets.datasets.identity import asks
from am_assets.datasets.inspection import UNSAID, Inspection, inspected
from am_assets.datasets.locate import SourceError, find_files
from am_assets.datasets.option_columns import counts_of, labels_of, options_of
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import form_of
from am_assets.datasets.records import read_records
from am_assets.datasets.rows import some_of
from am_assets.datasets.sources import Source
from am_assets.datasets.values import parsed, walk, written

ROWS = 1_000  # looked at
OWN = "jsonl"  # the form whose columns may have any name
CODE = "code"  # a column of it beside `input`: without words that is what the program is given
WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,} [^\W\d_]+")
# A chat as one text, as a template or Python wrote it: what holds one asks nothing by itself.
RENDERED = re.compile(
    r"\[INST\]|<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\uff5cUser\uff5c>"
    r"|### ?(?:Human|Instruction|Assistant)|USER: .*ASSISTANT:"
    r"|^\s*\[\s*\{\s*['\"](?:role|from|content|value)['\"]",
    re.DOTALL,
)
REPOSITORY = frozenset(("failtopass", "passtopass", "testpatch", "basecommit"))  # columns of SWE-bench and its like
UNNAMED = "unknown"  # the teacher of responses that nobody names


class Unread(SourceError):
    """Rows ask in a column, and no form has a question of it."""


@dataclass(frozen=True)
class Shape:
    """Rows of a location that ask in one column, and how they are read."""

    asks: str  # the column
    entry: dict[str, Any]  # of `sources.yaml`, without a rank
    found: Inspection
    ignored: list[str]  # columns that nothing is read from

    @property
    def options(self) -> str | None:
        """The column of the options of multiple choice, which are not shown."""
        return next((name for name in self.ignored if plain(name) in OPTIONS), None)


def shapes(location: str, base: Path, given: Mapping[str, Any] | None = None, turns: str | None = None) -> list[Shape]:
    """How the rows of a location are read, one shape for each column that questions stand in; `given` are fields of the
    entry that the user names, by which there is one shape, but for `turns`.

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
    if not REPOSITORY.isdisjoint(plain(name) for row in rows for name in row):
        raise Unread(
            f"{files[0]}: asks for patches of a repository, which its tests would judge: nothing here runs them;"
            " --column question=problem_statement reads what is asked alone"
        )
    likely = [name for name in dict.fromkeys(chain.from_iterable(rows)) if plain(name) in NAMES["question"]]
    rendered = {name for name in likely if _rendered(rows, name)}
    asking = [(name, row) for row in rows if (name := _asks(row, rendered))]
    if rendered and not asking:
        raise Unread(
            f"{files[0]}: {some_of(sorted(rendered))} holds whole chats as one text: write question and response into"
            " columns of their own, or the chat as a list of turns; --column question=COLUMN reads it as it is"
        )
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
        all_ask = columns == [name] and all(there(row.get(name)) for row in rows)
        where = {} if all_ask else {"where": _condition(name, columns[:at], rows)}
        where |= {"turns": turns} if turns else {}
        forms = [{"adapter": form} for form in fitting(own) if form != OWN]
        bare = [{name: value for name, value in row.items() if name not in rendered} for row in own]
        entries = [{"location": location} | entry | where for entry in (*forms, *_mapped(bare))]
        found.append(_shape(name, entries, own, base))
    return found


def guesses(location: str, base: Path, turns: str | None = None) -> list[Shape]:
    """The shapes of a location; none where its columns tell the form without a guess, or nothing there asks.
    `Unread` where no other form is known."""
    form = _told(location, base)
    try:
        found = shapes(location, base, turns=turns)
    except SourceError as error:
        if isinstance(error, Unread) and form in (None, OWN):
            raise
        return []
    plain = {name: value for name, value in found[0].entry.items() if name not in ("teacher", "where", "turns")}
    return [] if len(found) == 1 and plain == {"location": location, "adapter": form} else found


def _told(location: str, base: Path) -> str | None:
    """The form that the columns tell; None where none is known, or several are."""
    try:
        return form_of(Origin(location=location), find_files(location, base)[0])
    except SourceError:
        return None


def _shape(asks: str, entries: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], base: Path) -> Shape:
    """The shape by the entry that reads most, or the same in a published form."""
    tried = [(entry, inspected(parse(Source, entry | {"rank": 1, "limit": ROWS}, entry["location"]), base))
             for entry in entries]  # fmt: skip
    best = max(tried, key=lambda one: _read(one[1]))
    forms = [one for one in tried if "columns" not in one[0]]
    form = max(forms, key=lambda one: _read(one[1]), default=best)
    entry, found = form if _fits_most(form[1], best[1]) else best
    if not found.counts["questions"]:
        told = "; ".join(f"{why}: {where}" for why, where in found.told.dropped().items())
        raise Unread(f"{entry['location']}: nothing in it is a question{f': {told}' if told else ''}")
    columns = {name: path for name, path in entry.get("columns", {}).items() if found.columns.get(name)}
    fields = ADAPTERS[entry["adapter"]].fields
    columns = {name: path for name, path in columns.items() if path != fields[name].path}  # which needs no saying
    entry = {name: value for name, value in entry.items() if name != "columns"}
    entry |= {"columns": columns} if columns else {}
    unnamed = {"teacher": UNNAMED} if found.teachers[UNSAID] else {}
    used = {path.split(".")[0] for path in found.columns.values() if path} | {*found.columns.values()}
    ignored = [name for name in dict.fromkeys(chain.from_iterable(rows)) if name not in {*used, *IDS, LICENSE}]
    return Shape(asks, entry | unnamed, found, ignored)


def _read(found: Inspection) -> tuple[int, ...]:
    """How much an entry reads: questions first, then by what they can be checked, then their answers."""
    kinds, rows = _kinds(found), found.told.rows
    total = sum(min(count, rows) for count in found.counts.values())
    return found.counts["questions"], len(kinds - {"responses", "teachers"}), len(kinds), total


def _kinds(found: Inspection) -> set[str]:
    named = {"teachers"} if found.teachers.keys() - {UNSAID} else set()
    return named | {name for name, count in found.counts.items() if count}


def _fits_most(form: Inspection, best: Inspection) -> bool:
    """Whether a form reads most rows, and the entry that reads most has not all of it and more where it asks the same:
    a row may lack a reference by what the form knows of it, and the others are faulty. Of two entries of one form it is
    the one that reads more rows."""
    if form.told.form == best.told.form and form.counts["questions"] < best.counts["questions"]:
        return False
    most = 2 * form.counts["questions"] >= form.told.rows
    return most and (_asked(form) != _asked(best) or not _kinds(form) < _kinds(best))


def _asked(found: Inspection) -> str | None:
    return found.columns.get("question") or found.columns.get("messages")


def _mapped(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The forms of any names of columns, by names and values: chats, solutions that box their answer, OWN."""
    columns = columns_of(rows)
    asks = columns.get("question", "")
    options = options_of(rows)
    told_by = columns.get("reference_answer")
    labels = [*labels_of(rows, options, told_by)] if options else []
    if not options and told_by:
        labels = [(field, True) for field in counts_of(rows, asks, told_by)]
    for told, _ in labels:
        beside = {name: path for name, path in columns.items() if name in ADAPTERS["choices"].fields}
        yield {"adapter": "choices", "columns": beside | {"question": asks} | options | told}
    likely = (asks, columns.get("question", asks), *CHATS)
    chat = next((name for name in likely if any(is_chat(parsed(walk(row, name.split(".")))) for row in rows)), None)
    if chat:
        beside = {name: path for name, path in columns.items() if name in ADAPTERS["chat"].fields}
        yield {"adapter": "chat", "columns": {"messages": chat} | beside}
        if chat != asks:  # which asks what the chat begins with
            yield {"adapter": "chat", "columns": {"messages": chat} | beside, "turns": "first"}
    solution = next((name for name in dict.fromkeys(chain.from_iterable(rows)) if plain(name) == SOLUTION), None)
    if solution and "shown_above" not in columns and "shown_below" not in columns:
        yield {"adapter": "math", "columns": {"question": asks, "solution": solution}}
    kinds_of_tests = ADAPTERS["codecontests"].fields.keys() - {"question"}
    if not kinds_of_tests.isdisjoint(chain.from_iterable(rows)):
        yield {"adapter": "codecontests", "columns": {"question": asks}}
    if not any(marks for _, marks in labels):  # a letter says nothing without its options
        yield {"adapter": OWN, "columns": columns}


def _said(value: Any) -> bool:
    return there(value) and isinstance(value, str | list | dict) and (not isinstance(value, str) or asks(value))


def _order(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns in which a question may stand, the likeliest first."""
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    if CODE in map(plain, names):
        names = [
            name for name in names if plain(name) != "input" or any(WORDS.search(str(row.get(name))) for row in rows)
        ]
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


def _asks(row: Mapping[str, Any], rendered: set[str]) -> str | None:
    """The column in which the question of a row stands; None where it has none."""
    return next((name for name in _order([row]) if _said(row[name]) and name not in rendered), None)


def _rendered(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether most of a column's texts are whole chats."""
    texts = [row[name] for row in rows if isinstance(row.get(name), str)]
    found = [bool(RENDERED.search(one)) and not is_chat(written(one)) for one in texts]
    return 2 * sum(found) > len(texts)


def _condition(name: str, earlier: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """In SQL, that a row asks in a column and in none of the earlier ones, where an empty text may stand for null."""

    def quoted(column: str) -> str:
        return '"' + column.replace('"', '""') + '"'

    blank = {column for column in (name, *earlier) if any(row.get(column) == "" for row in rows)}
    absent = [f"{quoted(one)} IS NULL" + (f" OR {quoted(one)} = ''" if one in blank else "") for one in earlier]
    there = f"{quoted(name)} <> ''" if name in blank else f"{quoted(name)} IS NOT NULL"
    return " AND ".join([there, *(f"({one})" if " OR " in one else one for one in absent)])
