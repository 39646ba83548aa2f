"""What a previewed selection would ask of models beyond the stored one, and which answers to that are there already.

The text of a question is read only where its requests are counted, one shard at a time.
"""

from collections.abc import Iterator
from functools import cached_property

import polars as pl

from am_assets.config.recipe import TeacherPolicy
from am_assets.datasets.checks import CHECKS
from am_assets.datasets.due import READ
from am_assets.distillation import prompts
from am_assets.planning.costs import Costs, Estimate
from am_assets.planning.preview.overlay import Overlay
from am_assets.planning.steps import Step
from am_assets.storage.stored import StoredTables
from am_assets.verification.verifiers import applicable, unverified

# What models are asked about answers, and which answers they are asked about.
ABOUT_ANSWERS = {
    "math_verdicts": pl.col("referenced"),
    "response_screens": pl.lit(True),
    "reward_scores": pl.col("judged"),
}
UNANSWERED = "at most: an answer that is not there yet may turn out to be malformed, and is not judged then"


class Added:
    """The requests of what recipe `name` selects in the overlay and did not select in `stored`; of all that it selects
    where `everything` is asked anew."""

    def __init__(self, stored: StoredTables, aside: Overlay, name: str, teacher: TeacherPolicy, everything: bool):
        self.stored = stored
        self.aside = aside
        self.name = name
        self.teacher = teacher
        self.everything = everything
        self.wanted: dict[str, pl.DataFrame] = {}  # by shard, what candidates are read by

    def estimates(self, costs: Costs) -> Iterator[tuple[Step, Estimate]]:
        """By shard what the teacher would be asked, and the judge; what any recipe asked before costs nothing."""
        for (shard,), rows in self._questions.group_by("shard", maintain_order=True):
            requests = self._requests(str(shard), rows, costs.project.instruments.reward.judges == "every")
            requests = requests.with_columns(recipes=pl.lit([self.name]))
            self.wanted[str(shard)] = requests.select(READ)
            missing = costs.missing("responses", costs.chances.first_tries(str(shard), requests))
            yield self._step("responses", str(shard)), costs.priced("responses", missing, "")
            for asset, about in ABOUT_ANSWERS.items():
                if costs.models(asset):
                    requests = costs.unanswered(asset, missing.filter(about))
                    yield self._step(asset, str(shard)), costs.priced(asset, requests, UNANSWERED)

    def put(self) -> None:
        """Lay the requests over those stored, so that a verdict on what is answered already counts."""
        if not self.wanted and not self.everything:
            return
        others = pl.col("recipes").list.filter(pl.element() != self.name) if self.everything else pl.col("recipes")
        for shard in self.stored.partitions("teacher_requests"):
            tables = [self.stored.scan("teacher_requests", shard).with_columns(others).select(READ).collect()]
            if shard in self.wanted:
                tables.append(self.wanted[shard])
            self.aside.replace("teacher_requests", shard, pl.concat(tables))

    @cached_property
    def _questions(self) -> pl.DataFrame:
        """question_id, shard, samples, difficulty of the questions whose answers the stored selection did not want."""
        columns = ["question_id", "shard", "samples"]
        after = self.aside.store.scan("selected_questions", self.name).filter("kept")
        wanted = after.filter(pl.col("samples") > 0).select(*columns, "difficulty")
        if not self.everything:
            before = self.stored.scan("selected_questions", self.name).filter("kept")
            wanted = wanted.join(before.select(columns), on=columns, how="anti")
        return wanted.collect().sort("shard", "question_id")

    def _requests(self, shard: str, rows: pl.DataFrame, all_judged: bool) -> pl.DataFrame:
        """TeacherRequests of the rows, with question, reference_answer, difficulty, and who checks the answer: the
        judge (`judged`), the reference (`referenced`)."""
        checks = {"judged": pl.lit(True) if all_judged else unverified(), "referenced": applicable()["math"]}
        columns = ["question_id", "question", "reference_answer"]
        pool = self.stored.scan("raw_pool", shard).select(*columns, **CHECKS, **checks)
        questions = pool.join(rows.lazy().drop("shard"), on="question_id").collect()
        about = questions.select(*columns, "difficulty", *checks)
        return prompts.requests_table(questions, self.teacher).join(about, on="question_id", maintain_order="left")

    def _step(self, asset: str, shard: str) -> Step:
        return Step(asset, shard, "follows", f"recipe {self.name} would ask more")
