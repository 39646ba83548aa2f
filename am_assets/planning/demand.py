"""Upper bounds of the teacher requests and responses of the recipes of a plan, before selection has decided.

A run for some recipes sends no request that only others want. Responses to earlier requests of others are in the same
tables and are verified with the rest.
"""

from collections.abc import Sequence
from functools import cached_property

import polars as pl

from am_assets.config.recipe import TeacherPolicy
from am_assets.config.samples import UntilPass
from am_assets.datasets.published import SAID
from am_assets.distillation import prompts
from am_assets.project import Project
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.verification.verifiers import unverified

SELECTED = {"question_id": pl.String, "samples": pl.Int64, "recipe": pl.String}


class Demand:
    """Demand of the recipes `named` by their files, and of all other recipes by the tables in `store`."""

    def __init__(self, project: Project, store: StoredTables, named: Sequence[str]):
        self.project = project
        self.store = store
        self.named = list(named)

    def teachers(self) -> set[str]:
        """The teacher models that may get requests."""
        policies = [*self._policies, *self._stored_policies(self.named).values()]
        return {policy.model for policy in policies}

    def requests(self, questions: pl.DataFrame) -> pl.DataFrame:
        """TeacherRequests if the named recipes selected all `questions` (RawPool, has_reference, has_tests), with the
        distinct policies in place of recipes."""
        answered = SAID > 0
        return pl.concat(
            prompts.requests_table(
                questions.filter(~(answered & policy.published)).with_columns(samples=_most(policy)), policy
            ).with_columns(recipes=pl.lit([f"policy {number}"]))
            for number, policy in enumerate(self._policies)
        )

    def responses(self, shard: str, questions: pl.DataFrame) -> pl.DataFrame:
        """`questions` (RawPool) with a row for each response that they may get."""
        published = pl.col("published").list.len().cast(pl.Int64)
        own = [pl.when((SAID > 0) & policy.published).then(0).otherwise(_most(policy)) for policy in self._policies]
        others = self._selected_by_others(shard).group_by("question_id").agg(by_others=pl.sum("samples"))
        counted = questions.join(others, on="question_id", how="left", maintain_order="left").with_columns(
            responses=pl.sum_horizontal(published, *own, pl.col("by_others").fill_null(0))
        )
        rows = counted.filter(pl.col("responses") > 0)
        return rows.select(pl.col(questions.columns).repeat_by("responses").explode())

    def of_named(self, requests: pl.DataFrame) -> pl.DataFrame:
        """The `requests` (TeacherRequests) that a named recipe wants, with the named ones of their recipes."""
        named = pl.col("recipes").list.filter(pl.element().is_in(self.named))
        return requests.with_columns(recipes=named).filter(pl.col("recipes").list.len() > 0)

    @cached_property
    def _policies(self) -> list[TeacherPolicy]:
        """The distinct teacher policies of the named recipes."""
        policies = [self.project.recipe(name).teacher for name in self.named]
        return list({policy.model_dump_json(): policy for policy in policies}.values())

    @cached_property
    def _others(self) -> dict[str, TeacherPolicy]:
        selected = set(self.store.partitions("selected_questions")) - set(self.named)
        return self._stored_policies([name for name in self.project.recipe_partitions if name in selected])

    def _stored_policies(self, names: Sequence[str]) -> dict[str, TeacherPolicy]:
        stored = [name for name in names if name in self.store.partitions("teacher_policy")]
        return {name: read_policy(TeacherPolicy, self.store.read("teacher_policy", name)) for name in stored}

    def _selected_by_others(self, shard: str) -> pl.DataFrame:
        """question_id, samples, recipe."""
        wanted = (pl.col("shard") == shard) & pl.col("kept") & (pl.col("samples") > 0)
        selected = [
            self.store.scan("selected_questions", name)
            .filter(wanted)
            .select("question_id", pl.col("samples").cast(pl.Int64), recipe=pl.lit(name))
            .collect()
            for name in self._others
        ]
        return pl.concat([pl.DataFrame(schema=SELECTED), *selected])


def _most(policy: TeacherPolicy) -> pl.Expr:
    """The most responses to a question of RawPool: the least where no verifier could say that one passes."""
    samples = policy.samples
    if isinstance(samples, UntilPass):
        return pl.when(unverified()).then(samples.least).otherwise(samples.most)
    return pl.lit(samples)
