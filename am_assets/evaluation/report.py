"""What became of a recipe: the funnel from input rows to released rows, and its page beside the paper's figures.

Counting and wording only. Nothing here measures, decides or draws (`engines/plots.py` draws), and the paper's figures
are `paper.py`'s.
"""

from collections.abc import Iterable

import polars as pl

from am_assets.evaluation import paper
from am_assets.schema import CATEGORIES, DIFFICULTIES, UNLABELLED

STAGES = ["pool", "dedup", "selection", "distillation", "verification", "dataset"]


def funnel(deduped: pl.DataFrame, selected: pl.DataFrame, verified: pl.DataFrame, sft: pl.DataFrame) -> pl.DataFrame:
    """RecipeReport of one recipe's DedupedSet, SelectedQuestions, VerifiedSet and SftDataset.

    In each stage `in` = its drops + `kept`, and `kept` is the next stage's `in`:

    - pool: input rows; copies of one text within a shard are `exact_duplicate`
    - dedup, selection: questions, by drop reason
    - distillation: questions become responses. `questions without response` were selected but have no candidate
      (not asked yet, or every request failed); `responses` counts the candidates of the `kept` questions. It is
      outside the stage's sum, and it, not `kept`, is the `in` of the next stage.
    - verification: responses, by drop reason
    - dataset: released rows

    ValueError where the tables do not follow from one another (one was rebuilt, the next not yet).
    """
    asked = selected.filter("kept").select("question_id", "shard")
    answered = asked.join(verified, on=["question_id", "shard"], how="semi").height
    _follows("selected_questions", selected, "deduped_set", deduped.filter("kept"), ["question_id", "shard"])
    _follows("sft_dataset", sft, "verified_set", verified.filter("kept"), ["response_id"])
    strangers = verified.join(asked, on=["question_id", "shard"], how="anti").height
    if strangers:
        raise ValueError(
            f"verified_set: {strangers} rows answer questions not selected; materialize verified_set again"
        )
    copies = int(deduped["copies"].sum())
    rows = [
        *_stage("pool", {"exact_duplicate": copies - deduped.height}, deduped.height),
        *_stage("dedup", *_fates(deduped)),
        *_stage("selection", *_fates(selected)),
        *_stage("distillation", {"questions without response": asked.height - answered}, answered),
        ("distillation", "responses", verified.height),
        *_stage("verification", *_fates(verified)),
        *_stage("dataset", {}, sft.height),
    ]
    return pl.DataFrame(rows, schema={"stage": pl.String, "outcome": pl.String, "rows": pl.UInt32}, orient="row")


def _follows(name: str, table: pl.DataFrame, origin: str, kept: pl.DataFrame, key: list[str]) -> None:
    if not table.select(key).sort(key).equals(kept.select(key).sort(key)):
        raise ValueError(
            f"{name}: its {table.height} rows are not the {kept.height} kept rows of {origin}; materialize {name} again"
        )


def _fates(table: pl.DataFrame) -> tuple[dict[str, int], int]:
    drops = table.drop_nulls("drop_reason")["drop_reason"].value_counts().sort("drop_reason")  # in the enum's order
    return dict(drops.cast({"drop_reason": pl.String}).rows()), int(table["kept"].sum())


def _stage(stage: str, drops: dict[str, int], kept: int) -> list[tuple[str, str, int]]:
    outcomes = {"in": sum(drops.values()) + kept, **drops, "kept": kept}
    return [(stage, outcome, rows) for outcome, rows in outcomes.items()]


def teacher_costs(responses: pl.DataFrame, verified: pl.DataFrame) -> pl.DataFrame:
    """(teacher, origin, responses, kept, completion_tokens, cost) of the recipe's candidates; US dollars.

    `responses` needs response_id, completion_tokens and cost. What a response cost is counted in full for every recipe
    that uses it, though the memo paid for it once.
    """
    return (
        verified.join(responses.select("response_id", "completion_tokens", "cost"), on="response_id", how="left")
        .group_by("teacher", "origin")
        .agg(
            responses=pl.len(),
            kept=pl.col("kept").sum(),
            completion_tokens=pl.sum("completion_tokens"),
            cost=pl.sum("cost"),
        )
        .sort("teacher", "origin")
    )


def mix(sft: pl.DataFrame, column: str) -> pl.DataFrame:
    """(column, rows, share, paper's share) of `column` "category" or "difficulty", shares of 1, in schema order."""
    names, published = {
        "category": (CATEGORIES, paper.CATEGORY_ROWS),
        "difficulty": (DIFFICULTIES, paper.DIFFICULTY_ROWS),
    }[column]
    total = sum(published.values())
    paper_share = pl.col(column).replace_strict({k: v / total for k, v in published.items()}, default=None)
    known = pl.DataFrame({column: [*names, UNLABELLED]})
    return (
        known.join(sft.group_by(column).agg(rows=pl.len()), on=column, how="left", maintain_order="left")
        .with_columns(pl.col("rows").fill_null(0))
        .with_columns((pl.col("rows") / max(sft.height, 1)).alias("share"), paper_share.alias("paper's share"))
    )


def report_markdown(
    recipe: str,
    report: pl.DataFrame,
    sft: pl.DataFrame,
    pass_rates: pl.DataFrame,
    scores: pl.DataFrame,
    costs: pl.DataFrame,
) -> str:
    """A recipe's page. `report` is its RecipeReport, `pass_rates` as `decide.pass_rates` gives them, `scores` its
    EvalScores with a `benchmark` column, `costs` as `teacher_costs` gives them. Empty frames leave a line in place of
    the table. Whatever is the paper's says so where it stands."""
    averages = {model: round(sum(values) / len(values), 1) for model, values in paper.SCORES.items()}
    published = [[model, *values, averages[model]] for model, values in paper.SCORES.items()]
    parts = [
        f"# Recipe {recipe}",
        "## Funnel",
        _table(report),
        "In distillation, questions become responses: `kept` counts questions, `responses` what verification reads.",
        "## Verdicts",
        _table(pass_rates),
        "Pass rate: passed over the responses whose verdict is not unverifiable.",
        "## Mix of the released rows",
        f"Paper's share: {paper.SOURCE}, not measured here.",
        _table(mix(sft, "category")),
        _table(mix(sft, "difficulty")),
        "## Cost",
        _table(costs),
        "## Scores",
        _table(scores.select(pl.col("^benchmark$"), pl.exclude("benchmark"))),
        f"### Published by the paper, in percent ({paper.SOURCE}; not measured here)",
        _markdown(["model", *paper.BENCHMARKS, "mean"], published),
    ]
    return "\n\n".join(parts) + "\n"


def _table(frame: pl.DataFrame) -> str:
    return _markdown(frame.columns, frame.iter_rows()) if frame.height else "None yet."


def _markdown(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "–"  # noqa: RUF001
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
