"""One question as its page shows it: texts in pieces, what it is checked against, its responses with all that was
measured, and what each recipe decided. Made of what `am explain` knows; nothing is decided here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.datasets.values import parsed
from am_assets.distillation.parts import split
from am_assets.orchestration.schemas import TABLES
from am_assets.planning.explain.explanation import MEASURED, Decision, Explanation, Part, Rows
from am_assets.planning.explain.words import decision_text
from am_assets.runtime.quoting import visible
from am_assets.runtime.wording import counted
from am_assets.storage.schemas.meanings import meaning
from am_assets.verification.screens.base import PIECE
from am_assets.view.texts import Piece, pieces, program, withheld

DECIDED = ("deduplication", "selection", "released")
SHOWN_APART = {"outcomes", "findings", "screens", "measured"}


@dataclass(frozen=True)
class Said:
    """What one recipe decided, in words; `kept` is None where it decided nothing."""

    recipe: str
    stage: str
    kept: bool | None
    words: str


@dataclass(frozen=True)
class Response:
    """`think`, `answer`: pieces; `whole` where the parts can't be told. `tests`: (name, outcome, whether it passed).
    `measured`: by table its facts."""

    id: str
    teacher: str
    about: str
    think: list[Piece]
    think_chars: int
    answer: list[Piece]
    whole: bool
    verdicts: list[tuple[str, str, str, str]]  # what verified it, verdict, reason, what was compared or went wrong
    tests: list[tuple[str, str, bool | None]]
    measured: dict[str, list[tuple[str, str, str]]]  # name, value, what it means
    decisions: list[Said]


@dataclass(frozen=True)
class Page:
    question_id: str
    shards: list[str]
    question: list[Piece]
    reference: str | None
    tests: list[Piece]
    constraints: list[Piece]
    facts: dict[str, list[tuple[str, str, str]]]
    neighbours: list[dict[str, Any]]
    overlap: list[list[tuple[str, str, str]]]
    decisions: list[Said]
    responses: list[Response]


def page(found: Sequence[tuple[Explanation, Rows]]) -> Page:
    """The page of one question under one or more recipes."""
    (explanation, rows), pool = found[0], found[0][1].of("raw_pool")[0]
    parts = {part.name: part for part in explanation.parts}
    screens = {row["response_id"]: withheld(row["findings"]) for row in rows.of("response_screens")}
    of_question = next((why["question"] for why in screens.values() if "question" in why), None)
    return Page(
        question_id=explanation.question_id,
        shards=explanation.shards,
        question=_shown(pool["question"], bool(screens), of_question),
        reference=visible(pool["reference_answer"]) if pool["reference_answer"] else None,
        tests=_tests(pool["test_cases"]),
        constraints=program(pool["constraints"], "json"),
        facts={name: _facts(fact) for name in ("source", "features", "labels") for fact in parts[name].facts},
        neighbours=parts["nearest questions"].facts,
        overlap=[_facts(fact, "benchmark_overlap") for fact in parts["benchmark overlap"].facts],
        decisions=[said for stage in DECIDED for one, _ in found for said in _said(stage, one)],
        responses=[_response(row, rows, screens.get(row["response_id"]), found) for row in rows.of("responses")],
    )


def _said(stage: str, of: Explanation) -> list[Said]:
    """What a recipe decided at a stage, for each shard with the question."""
    return [said for part in of.parts if part.name == stage for said in _words(part, of.recipe)]


def _words(part: Part, recipe: str) -> list[Said]:
    if part.decision:
        return [Said(recipe, part.name, part.decision.kept, visible(decision_text(part.decision, recipe)))]
    return [Said(recipe, part.name, None, counted(fact["rows"], "row")) for fact in part.facts if "rows" in fact]


def _response(
    row: Mapping[str, Any], rows: Rows, screened: dict[str, str] | None, found: Sequence[tuple[Explanation, Rows]]
) -> Response:
    key = row["response_id"]
    [said] = split(pl.DataFrame({"response": [row["response"]]}, {"response": pl.String})).to_dicts()
    think, answer, why = said["think"], said["answer"], screened or {}
    part = next((part for part in found[0][0].parts if part.name == f"response {key}"), None)
    told = {fact["measured"]: fact for fact in (part.facts if part else [])}  # without what has to be withheld
    paid = [counted(row["completion_tokens"], "token")] if row["completion_tokens"] else []  # 0: nobody told
    paid += [f"${row['cost']:.4f}"] if row["cost"] else []
    return Response(
        id=key,
        teacher=row["teacher"],
        about=", ".join([row["origin"], row["finish_reason"], *paid]),
        think=_shown(think, screened is not None, why.get("think")),
        think_chars=len(think or ""),
        answer=_shown(answer or row["response"], screened is not None, why.get("answer")),
        whole=answer is None,
        verdicts=[
            (asset.removesuffix("_verdicts"), fact["verdict"], visible(fact["reason"]), _compared(fact))
            for asset, fact in told.items()
            if asset in MEASURED and "verdict" in fact
        ],
        tests=[test for fact in told.values() for test in _outcomes(fact.get("outcomes"))],
        measured={asset: _facts(fact, asset) for asset, fact in told.items()},
        decisions=[_fate(one, key) for one, _ in found],
    )


def _fate(explanation: Explanation, key: str) -> Said:
    decision: Decision | None = next((p.decision for p in explanation.parts if p.name == f"response {key}"), None)
    if decision is None:
        return Said(explanation.recipe, "verification", None, "no candidate of this recipe")
    return Said(explanation.recipe, "verification", decision.kept, visible(decision_text(decision, explanation.recipe)))


def _shown(text: str | None, screened: bool, why: str | None) -> list[Piece]:
    """A text, or why it is withheld. One that was not screened yet is blanked as on other pages."""
    if why is not None:
        return [Piece(why)]
    if screened or not text:
        return pieces(text)
    from am_assets.verification.screens.blanking import blanked

    return pieces("".join(blanked(text[at : at + PIECE], PIECE) for at in range(0, len(text), PIECE)))


def _compared(fact: Mapping[str, Any]) -> str:
    """What was read of an answer and what it was held against, or the first error of a program."""
    if fact.get("detail"):
        return visible(fact["detail"])
    if fact.get("reference") is None:
        return ""
    return visible(f"read as {fact.get('extracted') or 'nothing'}, held against {fact['reference']}")


def _outcomes(outcomes: list[Any] | None) -> list[tuple[str, str, bool | None]]:
    """Of tests of a program, or of constraints."""
    return [
        (
            visible(one["constraint"]),
            {True: "holds", False: "broken", None: "can't be told"}[one["holds"]],
            one["holds"],
        )
        if isinstance(one, dict)
        else (f"test {number}", one, one == "pass")
        for number, one in enumerate(outcomes or [], 1)
    ]


def _tests(test_cases: str | None) -> list[Piece]:
    if not test_cases:
        return []
    content = parsed(test_cases)
    if isinstance(content, dict) and isinstance(content.get("test_code"), str):
        entry = content.get("test_entry_point")
        return [*([Piece(f"of {visible(str(entry))}")] if entry else []), *program(content["test_code"], "python")]
    return program(json.dumps(content, indent=1, ensure_ascii=False) if content is not None else test_cases, "json")


def _facts(fact: Mapping[str, Any], asset: str | None = None) -> list[tuple[str, str, str]]:
    """(name, value, what it means) of what is known of a row in one table."""
    schema = TABLES.get("responses" if asset == "response" else asset or "")
    known = schema.column_names() if schema else []
    return [
        (name, _value(value), meaning(schema, name) if schema and name in known else "")
        for name, value in fact.items()
        if value is not None and name not in SHOWN_APART
    ]


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return visible(value if isinstance(value, str) else str(value))
