"""The history of one question under one recipe: its measurements, the decisions on it, and the deciding fields.

Plain Polars over rows of that question; `rows.py` reads them, `lines.py` finds the files that set the fields.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from am_assets.config.recipe import Recipe, TeacherPolicy
from am_assets.config.samples import UntilPass
from am_assets.config.vocabulary import WITHHELD
from am_assets.planning.explain.lines import Line
from am_assets.verification.verifiers import VERIFIERS

# The tables of measurements of a response.
MEASURED = [
    "response_features",
    *(verifier.table for verifier in VERIFIERS.values()),
    "answer_consensus",
    "reward_scores",
    "response_screens",
]
NEAREST = 5  # neighbours shown
EXCERPT_CHARS = 80
PLACES_SHOWN = 3  # of the rows that a question came from
NOT_SHOWN = ["response", "think", "question_id", "response_id", "shard"]  # too long, or shown elsewhere

# What tables repeat of a response.
TEXTS = ["answer", "extracted", "result", "equal_to", "judge_raw", "detail", "repaired_reference"]


@dataclass(frozen=True)
class Decision:
    """`why` is the drop reason, `detail` the measurement behind it, `lines` the fields that decided."""

    kept: bool
    why: str | None
    detail: str | None
    lines: list[Line]


@dataclass(frozen=True)
class Part:
    """One stage: facts about the question, a dictionary per row, and the decision taken there."""

    name: str
    facts: list[dict[str, Any]]
    decision: Decision | None = None


@dataclass(frozen=True)
class Explanation:
    question_id: str
    question: str
    recipe: str
    parts: list[Part]
    shards: list[str]  # those with the question

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Rows:
    """Rows of one question by asset; assets partitioned by recipe have those of one recipe. No table is absent: without
    rows it is empty. `neighbours` (other_id, cosine, question, kept under the recipe), nearest first. `items`: the
    question of a benchmark item by benchmark/item."""

    tables: Mapping[str, pl.DataFrame]
    neighbours: pl.DataFrame
    items: Mapping[str, str]

    def of(self, asset: str) -> list[dict[str, Any]]:
        return self.tables[asset].to_dicts()


def explain(rows: Rows, name: str, policies: Recipe, lines_of: Callable[[list[str]], list[Line]]) -> Explanation:
    """`policies` are those that the decisions used; `lines_of` turns field paths into Lines."""
    from am_assets.selection.sample import rate_fields

    pool = rows.of("raw_pool")
    labels = rows.of("question_labels")

    def decision(row: Mapping[str, Any], kept_by: Iterable[str]) -> Decision:
        dropped_by = row["decided_by"].split(", ") if row["decided_by"] else []
        fields = list(kept_by) if row["kept"] else dropped_by
        return Decision(row["kept"], row["drop_reason"], row["detail"], lines_of(fields))

    parts = [
        Part("source", [_source(row) for row in pool]),
        Part("features", _without_ids(rows.of("question_features"))),
        Part("labels", _without_ids(labels)),
        Part("nearest questions", rows.neighbours.head(NEAREST).to_dicts()),
    ]
    for row in rows.of("deduped_set"):
        if row["representative"]:
            row["detail"] = f"cosine {row['cosine']:.3f} to {row['representative']}"
        placed = {name: row[name] for name in ("shard", "representative", "cosine") if row[name] is not None}
        parts.append(Part("deduplication", [placed], decision(row, ["dedup.threshold"])))
    parts.append(Part("benchmark overlap", [_overlap(row, rows.items) for row in rows.of("benchmark_overlap")]))
    for row in rows.of("selected_questions"):
        asked = {
            "draw": _draw(row["question_id"]),
            "teacher": row["teacher"],
            "new responses": _wanted(row["samples"], policies.teacher),
        }
        rates = rate_fields(policies.sampling, row["category"], row["difficulty"])
        parts.append(Part("selection", [asked], decision(row, rates.values())))
    verified = {row["response_id"]: row for row in rows.of("verified_set")}
    for response in rows.of("responses"):
        fate = verified.get(response["response_id"])
        kept_by = ["verification.accept", *_deciding(fate)] if fate else []
        facts = [*_response(response, rows), *([_verdict(fate)] if fate else [])]
        judged = decision(fate, kept_by) if fate else None
        parts.append(Part(f"response {response['response_id']}", facts, judged))
    if verified:
        parts.append(Part("released", [{"rows": rows.tables["sft_dataset"].height}]))
    return Explanation(pool[0]["question_id"], pool[0]["question"], name, parts, [row["shard"] for row in pool])


def _wanted(samples: int, teacher: TeacherPolicy) -> int | str:
    if isinstance(teacher.samples, UntilPass) and samples > teacher.samples.least:
        return f"{teacher.samples.least} to {samples}, until one passes"
    return samples


def _deciding(fate: Mapping[str, Any]) -> list[str]:
    """The fields beside `accept` by which a response is kept."""
    fields = {"reward": ["min_reward"], "consensus": ["min_share", "min_samples"]}.get(fate["evidence"], [])
    return [f"verification.{field}" for field in [*fields, *["reference.repair"] * bool(fate["repaired_reference"])]]


def _without_ids(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in fact.items() if name not in NOT_SHOWN} for fact in facts]


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "shard": row["shard"],
        "source": row["source"],
        "input rows": row["copies"],
        "read from": _some(row["places"]),
        "license": row["license"],
        "extra": row["extra"],
        "reference answer": row["reference_answer"],
        "tests": row["test_cases"] is not None,
        "constraints": row["constraints"],
        "published responses": len(row["published"]),
        "defect": row["defect"],
    }


def _some(places: list[str] | None) -> str | None:
    if not places:
        return None
    more = len(places) - PLACES_SHOWN
    return ", ".join(places[:PLACES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _overlap(row: Mapping[str, Any], items: Mapping[str, str]) -> dict[str, Any]:
    nearest = f"{row['benchmark']}/{row['item_id']}"
    measured = {name: value for name, value in row.items() if name not in NOT_SHOWN}
    return {"benchmark": row["benchmark"], **measured, "nearest item": items.get(nearest, nearest)[:EXCERPT_CHARS]}


def _draw(question_id: str) -> float:
    from am_assets.selection.sample import draw

    return pl.DataFrame({"id": [question_id]}).select(draw("id")).item()


def _verdict(fate: Mapping[str, Any]) -> dict[str, Any]:
    names = ["evidence", "verdict", "second_verdict", "reward", "pass_rate"]
    doubt = ["reference_doubtful", "repaired_reference"] if fate["reference_doubtful"] else []
    return {"measured": "verified_set", **{name: fate[name] for name in [*names, *doubt]}}


def _response(response: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """The measurements of one response, a dictionary per table; none of its text where screens found a key or personal
    data."""
    screened = rows.tables["response_screens"].filter(response_id=response["response_id"])["screens"].to_list()
    withheld = any(screen in screens for screens in screened for screen in WITHHELD)
    hidden = [*NOT_SHOWN, *(TEXTS if withheld else [])]
    measured = [{"measured": "response", **{name: v for name, v in response.items() if name not in NOT_SHOWN}}]
    for asset in MEASURED:
        for row in rows.tables[asset].filter(response_id=response["response_id"]).to_dicts():
            measured.append({"measured": asset, **{name: v for name, v in row.items() if name not in hidden}})
    return measured
