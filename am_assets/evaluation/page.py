"""The report page of a recipe: a self-contained HTML file, and a PNG of its funnel.

Wording and layout only (with `page.html` and `page.css`), of the results of `report.py`, `distributions.py` and
`examples.py`. Its rows were written by models and are untrusted: the template escapes every value, the page has no
script, and its content security policy lets nothing run or load. The same findings give the same bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
from markupsafe import Markup, escape

from am_assets.engines import plots
from am_assets.evaluation import distributions, paper
from am_assets.evaluation.examples import SAMPLED, Rows
from am_assets.evaluation.layout import NONE, NOTE, asked, by_metric, sentences
from am_assets.evaluation.scores import SCORE, gain
from am_assets.evaluation.svg import PRINTED, curve_svg, sankey_svg
from am_assets.runtime.wording import counted

VERSION = "3"  # raise when a page comes out otherwise
CUT, QUESTION_CUT = 2_000, 600  # characters shown of a text
Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Findings:
    """The content of a page; what does not exist yet is empty.

    funnel       a RecipeReport
    released     see `distributions.released`; `origins` are those of the same rows
    rates        pass rates, by the column they are grouped by
    costs        see `report.teacher_costs`
    scores       EvalScores with a column `benchmark`
    *_mark       the recipe's own threshold on a curve
    loss_curve   (step, loss) of the student's training
    """

    funnel: pl.DataFrame
    released: pl.DataFrame
    origins: pl.Series
    pass_rate: float | None
    rates: dict[str, pl.DataFrame]
    costs: pl.DataFrame
    scores: pl.DataFrame
    dedup_curve: Curve
    dedup_mark: float | None
    reward_curve: Curve
    reward_mark: float | None
    loss_curve: Curve
    kept: Rows
    dropped_questions: Rows
    dropped_responses: Rows

    def count(self, stage: str, outcome: str) -> int:
        return self.funnel.filter(stage=stage, outcome=outcome)["rows"].item()

    @property
    def headline(self) -> str:
        entered, kept = self.count("pool", "in"), self.count("dataset", "kept")
        return f"{counted(entered, 'row')} in → {counted(kept, 'row')} released"


def summary_png(recipe: str, found: Findings) -> bytes:
    """The funnel as a PNG, for the metadata of the asset."""
    return plots.svg_png(sankey_svg(found.funnel, f"{recipe}: {found.headline}", PRINTED))


def page(recipe: str, found: Findings) -> str:
    """The report page as HTML.

    >>> Path("report.html").write_text(page("paper", findings))
    """
    curves = {
        "Questions kept by the cosine from which two are duplicates": ("cosine", found.dedup_curve, found.dedup_mark),
        "Responses at or above a reward, of those that nothing else decides": (
            "least reward", found.reward_curve, found.reward_mark,
        ),
    }  # fmt: skip
    return _template().render(
        recipe=recipe,
        found=found,
        tiles=_tiles(found),
        missing=_missing(found),
        sankey=sankey_svg(found.funnel),
        mixes=distributions.mixes(found.released, found.origins),
        sources=distributions.spread(found.released["source"], {}),
        paper_sources=[(name, rows / sum(paper.SOURCE_ROWS.values())) for name, rows in paper.SOURCE_ROWS.items()],
        lengths={part: distributions.lengths(found.released[f"{part}_chars"]) for part in ("think", "answer")},
        curves={name: curve_svg(points, x, "kept", mark) for name, (x, points, mark) in curves.items() if points},
        loss=curve_svg(found.loss_curve, "step", "loss") if found.loss_curve else None,
        scores=[(name, asked(rows), *by_metric(rows), sentences(rows)) for name, rows in _by_benchmark(found.scores)],
        note=NOTE,
        paper=paper,
        sampled=SAMPLED,
        cut=CUT,
        question_cut=QUESTION_CUT,
    )


def _tiles(found: Findings) -> list[tuple[str, str, str]]:
    """(name, figure, remark) of the headline figures."""
    entered, kept = found.count("pool", "in"), found.count("dataset", "kept")
    rate, responses = found.pass_rate, found.count("verification", "in")
    cost = found.costs["cost"].sum()
    a_row = f"${cost / kept:,.4f} a released row" if kept else "nothing released"
    tiles = [
        ("Rows in", f"{entered:,}", counted(found.count("pool", "kept"), "distinct question")),
        ("Rows released", f"{kept:,}", f"{kept / max(entered, 1):.1%} of the rows in"),
        ("Pass rate", _percent(rate), f"of what could be judged of {counted(responses, 'response')}"),
        ("Teacher", f"${cost:,.2f}", a_row if cost else "nothing paid for"),
    ]
    for benchmark, rows in _by_benchmark(found.scores):
        scores = {row["student"]: row for row in rows.filter(metric=SCORE, items="all").to_dicts()}
        trained, gained = scores.get("trained"), gain(rows)
        if trained is not None:
            remark = f"95 % interval {_percent(trained['ci_low'])} to {_percent(trained['ci_high'])}"
            if gained:
                apart = "" if gained.told_apart else ", which can't be told apart"
                remark = f"untrained {_percent(scores['untrained']['value'])}{apart}; {remark}"
            tiles.append((f"Trained, {benchmark}", _percent(trained["value"]), remark))
    return tiles


def _by_benchmark(scores: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    groups = scores.group_by("benchmark", maintain_order=True)
    return sorted(((str(name), rows) for (name,), rows in groups), key=lambda one: one[0])


def _missing(found: Findings) -> list[str]:
    """Parts that the page lacks, and why."""
    responses, kept = found.count("verification", "in"), found.count("dataset", "kept")
    reasons = {
        "No responses yet: no teacher was asked, and no published response counts.": not responses,
        "No row is released: each stage's drops are in the funnel.": not kept,
        "No scores yet: no student of this recipe was evaluated.": found.scores.is_empty(),
        "No reward curve: no response is decided by its reward.": not found.reward_curve,
        "No curve of the deduplication: deduped_set was made before it was kept.": not found.dedup_curve,
    }
    return [line for line, holds in reasons.items() if holds]


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.1%}"


@cache
def _template():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: NONE if value is None else f"{value:,}"
    environment.filters["percent"] = _percent
    environment.filters["dollars"] = lambda value: f"${value:,.4f}"
    environment.filters["breakable"] = lambda name: Markup(re.sub("([_/])", r"\1<wbr>", str(escape(name))))
    return environment.get_template("page.html")
