"""The whole way of one question under one recipe: what was measured of it, what was decided, and which line decided.

Plain Polars over rows of that question; where they are read from is `rows.py`'s business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from am_assets.config.recipe import Recipe
from am_assets.planning.explain.lines import Line, fields_of, rate_fields

NEAREST = 5  # neighbours shown
EXCERPT_CHARS = 80
TEXTS = ["response", "think", "question_id", "response_id", "shard"]  # too long, or said already


@dataclass(frozen=True)
class Decision:
    """`why` is the drop reason; `detail` what was measured beside it."""

    kept: bool
    why: str | None
    detail: str | None
    lines: list[Line]


@dataclass(frozen=True)
class Part:
    """One stage: rows of facts about the question, and what was decided there."""

    name: str
    facts: list[dict[str, Any]]
    decision: Decision | None = None


@dataclass(frozen=True)
class Explanation:
    question_id: str
    question: str
    recipe: str
    parts: list[Part]
    shards: list[str]  # that hold the question

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Rows:
    """Rows of one question by asset, those of a recipe by that recipe; empty where there is none. `neighbours`:
    other_id, cosine, question and, in this recipe, kept; the nearest first. `items`: question by benchmark/item."""

    tables: Mapping[str, pl.DataFrame]
    neighbours: pl.DataFrame
    items: Mapping[str, str]

    def of(self, asset: str) -> list[dict[str, Any]]:
        return self.tables[asset].to_dicts()


def explain(rows: Rows, name: str, policies: Recipe, lines_of: Callable[[list[str]], list[Line]]) -> Explanation:
    """`policies` are those that the decisions used; `lines_of` gives the Lines of fields."""
    pool = rows.of("raw_pool")
    labels = rows.of("question_labels")
    group = (str(labels[0]["category"]), str(labels[0]["difficulty"])) if labels else ("", "")

    def decision(row: Mapping[str, Any], kept_by: Sequence[str]) -> Decision:
        reason, detail = row["drop_reason"], row["detail"] or ""
        fields = list(kept_by) if row["kept"] else fields_of(reason, detail, policies.sampling, group)
        return Decision(row["kept"], reason, row["detail"], lines_of(fields))

    parts = [
        Part("source", [_source(row) for row in pool]),
        Part("features", _without_ids(rows.of("question_features"))),
        Part("labels", _without_ids(labels)),
        Part("nearest questions", rows.neighbours.head(NEAREST).to_dicts()),
    ]
    for row in rows.of("deduped_set"):
        if row["representative"]:
            row["detail"] = f"cosine {row['cosine']:.3f} to {row['representative']}"
        stands = {name: row[name] for name in ("shard", "representative", "cosine") if row[name] is not None}
        parts.append(Part("deduplication", [stands], decision(row, ["dedup.threshold"])))
    parts.append(Part("benchmark overlap", [_overlap(row, rows.items) for row in rows.of("benchmark_overlap")]))
    for row in rows.of("selected_questions"):
        asked = {"draw": _draw(row["question_id"]), "teacher": row["teacher"], "new responses": row["samples"]}
        kept_by = list(rate_fields(policies.sampling, *group))
        parts.append(Part("selection", [asked], decision(row, kept_by)))
    verified = {row["response_id"]: row for row in rows.of("verified_set")}
    for response in rows.of("responses"):
        fate = verified.get(response["response_id"])
        by_reward = fate is not None and fate["evidence"] == "reward"
        kept_by = ["verification.accept", *["verification.min_reward"] * by_reward]
        facts = [*_response(response, rows), *([_verdict(fate)] if fate else [])]
        judged = decision(fate, kept_by) if fate else None
        parts.append(Part(f"response {response['response_id']}", facts, judged))
    if verified:
        parts.append(Part("released", [{"rows": rows.tables["sft_dataset"].height}]))
    return Explanation(pool[0]["question_id"], pool[0]["question"], name, parts, [row["shard"] for row in pool])


def _without_ids(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in fact.items() if name not in TEXTS} for fact in facts]


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "shard": row["shard"],
        "source": row["source"],
        "input rows": row["copies"],
        "reference answer": row["reference_answer"],
        "tests": row["test_cases"] is not None,
        "constraints": row["constraints"],
        "published responses": len(row["published"]),
        "defect": row["defect"],
    }


def _overlap(row: Mapping[str, Any], items: Mapping[str, str]) -> dict[str, Any]:
    nearest = f"{row['benchmark']}/{row['item_id']}"
    measured = {name: value for name, value in row.items() if name not in TEXTS}
    return {"benchmark": row["benchmark"], **measured, "nearest item": items.get(nearest, nearest)[:EXCERPT_CHARS]}


def _draw(question_id: str) -> float:
    from am_assets.selection.sample import draw

    return pl.DataFrame({"id": [question_id]}).select(draw("id")).item()


def _verdict(fate: Mapping[str, Any]) -> dict[str, Any]:
    names = ("evidence", "verdict", "second_verdict", "reward")
    return {"measured": "verified_set", **{name: fate[name] for name in names}}


def _response(response: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """What was measured of one response, a row a table."""
    measured = [{"measured": "response", **{name: v for name, v in response.items() if name not in TEXTS}}]
    for asset in ("response_features", "math_verdicts", "code_verdicts", "instruction_verdicts", "reward_scores"):
        for row in rows.tables[asset].filter(response_id=response["response_id"]).to_dicts():
            measured.append({"measured": asset, **{name: v for name, v in row.items() if name not in TEXTS}})
    return measured
