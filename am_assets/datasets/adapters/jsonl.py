"""Canonical columns under their own names or others that are common: the form for data of one's own."""

from am_assets.datasets.adapters.base import (
    Adapter,
    Fault,
    Field,
    Item,
    Row,
    any_of,
    boxed,
    constraints,
    fields,
    finished,
    responses,
)
from am_assets.datasets.chats import is_reply
from am_assets.datasets.objects import is_objects, of_objects
from am_assets.datasets.options import counted
from am_assets.datasets.values import clean, listed, parsed

COUNTED = "a number beside options in the question, left out: `choices` reads `answer_from_0` or `answer_from_1`"
SHORT = 200  # characters of an answer that can be compared with


def read(row: Row) -> Item:
    if isinstance(history := parsed(row.get("history")), list) and history:
        raise Fault("goes on from the turns in `history`: leave such rows out by `where:`")
    asked = row.chat_on("question")
    tests = row.get("test_cases")
    try:
        wanted = constraints(parsed(row.get("constraints")) or [])
    except Fault as fault:
        raise Fault(f"field `constraints`: {fault}") from None
    said, notes = _said(row)
    question = _shown(row, asked.question if asked else row.text("question"))
    references = row.scalars("reference_answer") if row.has("reference_answer") else _short_answers(row)
    reference = any_of([boxes.pop() if len(boxes := {*boxed(one)}) == 1 else one for one in references])
    if reference and counted(reference, question or ""):
        reference, notes = None, {*notes, COUNTED}
    return Item(
        question,
        reference_answer=reference,
        test_cases=row.tests("test_code" if tests is None else "test_cases", row.text("test_entry_point")),
        constraints=wanted,
        responses=said,
        notes=tuple(sorted(notes)),
    )


def _shown(row: Row, question: str | None) -> str | None:
    """The question with the columns that an entry shows above and below it."""
    above, below = (row.text(name) or "" for name in ("shown_above", "shown_below"))
    asks = (question or "").strip()
    return "\n\n".join(part for part in (above, question, below) if part and part.strip()) if asks else question


def _short_answers(row: Row) -> list[str]:
    """What a column `answer` holds, where it is an answer and not a solution or a response."""
    if row.fields["answer"].path == row.fields["response"].path:
        return []
    return [
        one for one in row.scalars("answer") if len(one) <= SHORT and not any(mark in one for mark in ("\n", "####"))
    ]


def _said(row: Row) -> tuple[list[tuple[str | None, str]], set[str]]:
    """The responses, each with its teacher, and notes on those that are left out."""
    if row.fields["reference_answer"].path in dict(row.fields["response"].paths):  # so the entry says; not read twice
        return [], set()
    teacher = row.text("teacher")
    if is_objects(row.get("response")):
        return row.of("response", lambda given: of_objects(given, teacher))
    several = row.of("response", listed)
    if isinstance(several, list) and several is not row.get("response"):
        said, notes = finished(row, [clean(one or "") for one in several], "finish_reason")
    elif not is_reply(several) and (chat := row.chat_on("response")):
        said, notes = finished(row, [] if chat.response is None else [chat.response], "finish_reason")
    else:
        said, notes = responses(row, "response", "reasoning", "finish_reason")
    return [(teacher, one) for one in said], notes


ADAPTER = Adapter(
    fields(
        "question",
        *("test_code", "test_entry_point", "test_cases", "reasoning", "finish_reason", "teacher"),
        response=Field("response", ("responses",)),
        reference_answer=Field("reference_answer"),
        answer=Field("answer"),
        constraints=Field("constraints"),
        shown_above=Field("shown_above"),
        shown_below=Field("shown_below"),
        history=Field("history"),
    ),
    read,
    version="9",
    doc="your own data; `reference_answer` may be a list, of which one has to be met, and where no row has it a short"
    " `answer` is it; `response` may be a list of several, of texts or of objects with a teacher, thinking and finish"
    " reason of their own, `finish_reason` says why each ended, `test_cases` may be code or a table, a path may lead"
    " into a chat, of which the roles are read; `shown_above` and `shown_below` name columns that belong to the"
    " question, as `input` beside `instruction`",
    signature=("question",),
    example={
        "question": "Compute 17+25.",
        "answer": 42,
        "response": "<think>17+25=42.</think>\\boxed{42}",
        "teacher": "r1",
    },
)
