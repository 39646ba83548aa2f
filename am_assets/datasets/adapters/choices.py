"""Multiple choice, as MMLU, ARC, MedQA and C-Eval have it: options in one column or in one each, and which is right."""

import re
from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, any_of, fields, responses, with_parts
from am_assets.datasets.options import LABEL, LETTERS, letters, shown, shown_in
from am_assets.datasets.values import parsed, scalar, written

ASKING = ("question", "question_stem", "query", "Question", "problem", "Problem", "prompt", "题目", "问题")
LISTS = ("options", "choices", "question.choices", "Options", "Choices")
TELLING = (
    *("answerKey", "answer_letter", "answer_idx", "correct_option", "answer_index", "cop", "answer", "Answer"),
    *("correct", "label", "target", "gold", "expected_answer", "答案"),
)
COUNTED = {"answer_from_0": 0, "answer_from_1": 1}  # fields that hold a number, and the number of the first option
COLUMNS = {  # of files with a column for each option
    letter: (
        *(f"{name}{letter.lower()}" for name in ("op", "option_", "choice_")),
        *(f"{name}{letter}" for name in ("option", "choice", "answer")),
    )
    for letter in "ABCDE"
}
LABELLED, SAID = ("label", "key", "id", "letter"), ("text", "value", "content", "option")
LED = re.compile(rf"\s*{LABEL}\s*(.+)", re.DOTALL)
BOXED = re.compile(r"[\s$]*(?:\\boxed\{)?(.*?)[.:}]*[\s$]*")  # letters, in what may stand around them
SPELT = re.compile(r"(?:^|\s*,\s*)([a-j]) \) ")  # as MathQA has them: "a ) 38 , b ) 27.5"
EXPLAINED = re.compile(r"[.\s]+Explanation:\s")  # behind an option, as MedReason has it
UNTOLD = ("", "-1")  # of test sets, which keep the answer to themselves


def read(row: Row) -> Item:
    in_columns = {letter: row.get(letter) for letter in COLUMNS}
    labels, options = row.of("options", _options) if row.get("options") else _options(in_columns)
    chat = row.chat_on("question")
    stem = "stem" if isinstance(row.get("question"), dict) else "question"
    question = chat.question if chat else row.text(stem)
    if not options and any(map(row.has, COUNTED)):  # which counts those that the question shows
        labels, options = _options(shown_in(question or ""))
    above = row.text("shown_above")
    said, notes = responses(row, "response", "reasoning", "finish_reason")
    right = _told(row, labels, options) if options else []
    named = ", ".join(LETTERS[at] for at in right) or None
    return Item(
        _asked(f"{above}\n\n{question}" if above and question else question, options),
        reference_answer=named if options else any_of(row.scalars("answer")),
        responses=[(row.text("teacher"), one) for one in said],
        notes=tuple(sorted(notes)),
    )


def _told(row: Row, labels: list[str], options: list[str]) -> list[int]:
    """The positions of the right options, as the column that the entry names tells them."""
    name = next(filter(row.has, COUNTED), None)
    if name is None:
        return row.of("answer", lambda value: _right(value, labels, options))
    return row.of(name, lambda value: _counted(value, COUNTED[name], len(options)))


def _counted(value: Any, first: int, options: int) -> list[int]:
    said = (scalar(value) or "").strip().removesuffix(".0")
    if said in UNTOLD:
        return []
    at = int(said) - first if said.isdigit() else -1
    if not 0 <= at < options:
        raise Fault(f"none of the options, counted from {first}")
    return [at]


def _asked(question: str | None, options: list[str]) -> str | None:
    """The question with its options, unless it shows them itself."""
    labelled = (_label(letter) + re.escape(one) for letter, one in zip(LETTERS, options, strict=False))
    if not options or all(re.search(one, question or "") for one in labelled):
        return question
    return with_parts(question, shown(options))


def _options(value: Any) -> tuple[list[str], list[str]]:
    """The labels and the texts of options; a label of their own is no part of the text."""
    pairs = _pairs(written(value))
    if len(pairs) > len(LETTERS):
        raise Fault(f"more than {len(LETTERS)} options")
    labels = [(scalar(label) or letter).strip().upper() for letter, (label, _) in zip(LETTERS, pairs, strict=False)]
    said = [scalar(one) or "" for _, one in pairs]
    if any(not one.strip() for one in said):
        raise Fault("an empty option")
    own = [re.match(_label(letter), one) for letter, one in zip(LETTERS, said, strict=False)]
    return labels, [one[label.end() if label and all(own) else 0 :] for one, label in zip(said, own, strict=True)]


def _label(letter: str) -> str:
    """The regular expression of a label of its own before an option."""
    return rf"\s*{LABEL.replace('[A-J]', letter)}\s*"


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """The options as they stand, with their labels, if they have any."""
    if isinstance(value, str):
        _, *parts = SPELT.split(value)
        value = dict(zip(parts[::2], parts[1::2], strict=True)) or shown_in(value) or value
    if isinstance(value, dict) and isinstance(texts := value.get("text"), list):
        return [*zip(value.get("label") or [None] * len(texts), texts, strict=True)]
    if isinstance(value, dict):
        return [*_there(value).items()]
    if not isinstance(value, list):
        raise Fault("expected options: a list, or an object with a text for each letter")
    if value and all(isinstance(one, dict) for one in value):
        if all(isinstance(one, dict) and len(there := _there(one)) == 1 and {*there} <= {*LETTERS} for one in value):
            return [pair for one in value for pair in _there(one).items()]
        return [(_first(one, LABELLED), _first(one, SAID)) for one in value]
    numbers = not any(isinstance(one, str) for one in value)  # of which the answer is one, and no position
    return [(one if numbers else None, one) for one in value if one is not None]


def _there(option: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object that are there: of Parquet it has those of all rows."""
    return {name: one for name, one in option.items() if one is not None}


def _first(option: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((option[name] for name in names if option.get(name) is not None), None)


def _right(value: Any, labels: list[str], options: list[str]) -> list[int]:
    """The positions of the right options; none where the file does not tell. A number is a label, or else a position
    that counts from 0; a text is a label, letters, or the text of an option."""
    value = parsed(value)
    if isinstance(value, list):
        return sorted({at for one in value for at in _right(one, labels, options)})
    said = EXPLAINED.split((scalar(value) or "").strip())[0]
    if said in UNTOLD:
        return []
    spelt = [[at] for at, one in enumerate(options) if one.strip() == said and isinstance(value, str)]
    if said.upper() in labels:
        meant = [[labels.index(said.upper())]]
    elif not isinstance(value, str):
        meant = [[int(said)]] if said.isdigit() else []
    else:
        meant = [] if spelt else [_positions(said, options)]
    meant = [one for one in meant if one and max(one) < len(options)]
    meant += [one for one in spelt if one not in meant]
    if len(meant) != 1:
        why = "none of the options" if isinstance(value, str) else "none of the options, counted from 0"
        if isinstance(value, str) and said.isdigit():
            why = f"none of the options; `columns:` names a number that counts them as {' or '.join(COUNTED)}"
        raise Fault("may mean several of the options" if meant else why)
    return meant[0]


def _positions(said: str, options: list[str]) -> list[int]:
    """Those of the letters that a text names, as in `(B)`, `A, C` and `B. Paris`."""
    led = LED.fullmatch(said)
    if led:
        at = LETTERS.index(led[1])
        return [at] if led[2].strip() in [one.strip() for one in options[at : at + 1]] else []
    bare = BOXED.fullmatch(said)
    return sorted(map(LETTERS.index, (bare and letters(bare[1])) or ()))


ADAPTER = Adapter(
    fields(
        Field(ASKING[0], ASKING[1:], required=True),
        stem=Field("question.stem"),
        options=Field(LISTS[0], LISTS[1:]),
        answer=Field(TELLING[0], TELLING[1:]),
        **{name: Field(name) for name in COUNTED},
        **{letter: Field(letter, aliases) for letter, aliases in COLUMNS.items()},
        shown_above=Field("context", ("passage", "article")),
        response=Field("response", ("responses", "generation", "output")),
        reasoning=Field("reasoning", ("thinking", "reasoning_content")),
        finish_reason=Field("finish_reason"),
        teacher=Field("teacher", ("model",)),
    ),
    read,
    version="3",
    doc="multiple choice, as [MMLU](https://huggingface.co/datasets/cais/mmlu), MMLU-Pro, SuperGPQA, ARC,"
    " CommonsenseQA, MedQA, MedMCQA, AQuA, LogiQA, C-Eval and CMMLU have it; it shows the options, the reference is a"
    " letter; an answer is a letter, a label, the text of an option, or a number that counts from 0; `columns:` names"
    " one that counts, as text too, as `answer_from_0` or `answer_from_1`, also options that stand in the question",
    signature=(
        "|".join(ASKING),
        "|".join(
            [*(f"{name}.{at}" for name in LISTS for at in ("0", "A", "text")), "options~b ) ", "B", *COLUMNS["B"]]
        ),
        "|".join(TELLING),
    ),
    over=("jsonl", "limo", "math", "chat"),
    example={
        "question": "What is 17+25?",
        "subject": "arithmetic",
        "choices": ["41", "42", "43", "52"],
        "answer": 1,
    },
)
