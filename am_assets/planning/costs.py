"""Estimates of the requests, tokens and dollars of planned steps, before anything is spent.

Requests that the memo answers are not counted. The count is exact where the tables that a step reads are up to date,
and an upper bound where they are not. Every estimate names its basis.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from am_assets.datasets import sources
from am_assets.datasets.checks import CHECKS
from am_assets.engines.llm.money import CHARS_A_TOKEN, max_total_tokens
from am_assets.engines.models import embedder
from am_assets.planning.chances import CERTAIN, Chances
from am_assets.planning.demand import Demand
from am_assets.planning.steps import Step
from am_assets.pool import labels
from am_assets.project import Project
from am_assets.runtime.wording import counted
from am_assets.selection import confirm, overlap
from am_assets.storage.memo import Memo, with_keys
from am_assets.storage.stored import StoredTables
from am_assets.verification import opinion
from am_assets.verification.jobs import AGAINST, answers_with_checks, jobs, judge_requests, to_judge
from am_assets.verification.screens import unsafe
from am_assets.verification.verifiers import VERIFIERS, applicable, unverified

NAMESPACES = {
    "question_labels": "labels",
    "benchmark_overlap": "confirmations",
    "responses": "responses",
    "math_verdicts": "opinions",
    "reward_scores": "rewards",
    "response_screens": "unsafe",
}
QUESTION = ["question_id", "question"]
CHECKED = [*QUESTION, *AGAINST]
PUBLISHED = [*CHECKED, "published"]  # with the texts of published responses: where no answer is stored yet
ANSWER = ["response_id", "question_id", "answer", "well_formed"]
PLACEHOLDER_ANSWER = "x" * 2_000  # for the size of a judge's prompt about an answer that does not exist yet
OUTDATED = "at most, as what stands above is not up to date"


@dataclass(frozen=True)
class Estimate:
    requests: int
    most_requests: int  # if no answer passes before the last sample; more than `requests` where that is likely to
    exact: bool  # else `requests` is an upper bound, or what is expected where `most_requests` is more
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None  # None where no price is known
    most: float | None  # dollars if every answer runs to its token limit, as a budget counts requests in flight
    basis: tuple[str, ...]
    models: tuple[str, ...] = ()  # those with requests


class Costs:
    """Estimates for the `steps` of one plan for the recipes `named`; `store` reads materialized tables."""

    def __init__(self, project: Project, store: StoredTables, steps: Sequence[Step], named: Sequence[str]):
        self.project = project
        self.store = store
        self.memo = Memo(project.memo)
        self.pending = {(step.asset, step.partition) for step in steps}
        self.demand = Demand(project, store, named)
        self.chances = Chances(store)

    def of(self, step: Step) -> Estimate | None:
        """The estimate of a step; None where its asset uses no model."""
        if not self.models(step.asset):
            return None
        requests, exact = getattr(self, f"_{step.asset}")(step.partition)
        missing, at_most = self.missing(step.asset, requests), "" if exact else OUTDATED
        return self.priced(step.asset, missing, at_most)

    def models(self, asset: str) -> set[str]:
        """The models that an asset may send requests to."""
        instruments = self.project.instruments
        confirming, opinion = instruments.overlap.confirm, instruments.math.opinion
        screening = instruments.screens.unsafe
        return {
            "question_labels": {instruments.labels.model},
            "benchmark_overlap": {confirming.model} if confirming else set(),
            "responses": self.demand.teachers() if asset == "responses" else set(),
            "math_verdicts": {opinion.model} if opinion else set(),
            "response_screens": {screening.model} if screening else set(),
            "reward_scores": set() if instruments.reward.local else {instruments.reward.model},
        }.get(asset, set())

    def missing(self, asset: str, requests: pl.DataFrame) -> pl.DataFrame:
        """The requests of an asset that the memo has no answer to, by their `key` where they have one."""
        if "key" not in requests.columns:
            requests = with_keys(requests, "model", "messages", "sampling", "sample_index")
        return self.memo.missing(NAMESPACES[asset], requests)

    def _read(self, asset: str, shard: str, columns: list[str] | None = None) -> pl.DataFrame | None:
        """The table or some of its columns, if it is materialized and up to date."""
        there = (asset, shard) not in self.pending and shard in self.store.partitions(asset)
        return self.store.read(asset, shard, columns) if there else None

    def _questions(self, shard: str, columns: list[str] = QUESTION) -> pl.DataFrame:
        """The questions of a shard without a defect, from its table, else from its source."""
        pool = self._read("raw_pool", shard, [*columns, "defect"])
        if pool is None:
            here = self.project
            pool = sources.read_shard(here.sources, shard, here.sources_file.parent, exclusions=here.exclusions)
        return pool.filter(pl.col("defect").is_null()).select(columns)

    def _question_labels(self, shard: str) -> tuple[pl.DataFrame, bool]:
        instrument = self.project.instruments.labels
        questions = self._questions(shard)
        return labels.label_requests(questions, instrument.model, instrument.max_tokens), True

    def _benchmark_overlap(self, benchmark: str) -> tuple[pl.DataFrame, bool]:
        """Exact where all inputs are up to date; else every question may be in the grey zone."""
        instrument = self.project.instruments.overlap.confirm
        assert instrument is not None
        shards = sources.shard_keys(self.project.sources)
        questions = {shard: self._questions(shard) for shard in shards}
        pool = pl.concat(questions.values()).unique("question_id", keep="first", maintain_order=True)
        items = self._read("benchmark_questions", benchmark)
        known = None if items is None else self._known_vectors(items)
        embedded = {at: self._read("question_embeddings", at) for at in shards}
        vectors = {at: table for at, table in embedded.items() if table is not None}
        if items is None or known is None or len(vectors) < len(shards):
            unknown = pool.with_columns(item=pl.lit("x" * confirm.MAX_CHARS))
            return _with_placeholder_keys(confirm.requests(unknown, instrument)), False
        ready, floor = overlap.Items(items, known), self.project.instruments.overlap.floor
        near = pl.concat(overlap.benchmark_overlap(questions[at], vectors[at], ready, floor) for at in shards)
        grey = confirm.grey(near.unique("question_id", keep="first", maintain_order=True), instrument)
        pairs = grey.join(pool, on="question_id").join(items.select("item_id", item="question"), on="item_id")
        return confirm.requests(pairs, instrument), True

    def _known_vectors(self, items: pl.DataFrame) -> np.ndarray | None:
        wanted = with_keys(items, "question", identity=self.project.instruments.embeddings.model)
        found = self.memo.read("embeddings", wanted, embedder.VECTOR)
        vectors = wanted.join(found, on="key", how="left", maintain_order="left")["vector"]
        return None if vectors.null_count() else embedder.to_matrix(vectors)

    def _responses(self, shard: str) -> tuple[pl.DataFrame, bool]:
        asked = self._read("teacher_requests", shard)
        exact = asked is not None
        if asked is None:
            asked = self.demand.requests(self._questions(shard, PUBLISHED).with_columns(**CHECKS))
        else:
            asked = self.demand.of_named(asked)
        known = self._read("question_labels", shard, ["question_id", "difficulty"])
        if known is not None:
            asked = asked.join(known.cast({"difficulty": pl.String}), on="question_id")
        return self.chances.first_tries(shard, asked), exact

    def _math_verdicts(self, shard: str) -> tuple[pl.DataFrame, bool]:
        """Exact where the verdicts of the verifier are known; else it may fail every answer."""
        limits, math = self.project.instruments.math, VERIFIERS["math"]
        assert limits.opinion is not None
        features, questions = self._answers(shard)
        if features is None:
            return self.unanswered("math_verdicts", self._wanted(shard, questions.filter(applicable()["math"]))), False
        wanted = jobs(math, answers_with_checks(features, questions), limits)
        known = self.memo.read(math.name, wanted, math.measured).select("key", pl.col("verdict").cast(pl.String))
        verdicts = wanted.join(known, on="key", how="left", maintain_order="left").drop("key")
        asked = opinion.rows_to_ask(verdicts.with_columns(pl.col("verdict").fill_null("not known yet")), limits.opinion)
        exact = limits.opinion.ask == "always" or not verdicts["verdict"].null_count()
        return opinion.requests(asked, limits.opinion), exact

    def _reward_scores(self, shard: str) -> tuple[pl.DataFrame, bool]:
        instrument = self.project.instruments.reward
        features, questions = self._answers(shard)
        if features is not None:
            return judge_requests(to_judge(answers_with_checks(features, questions), instrument), instrument), True
        judged = questions if instrument.judges == "every" else questions.filter(unverified())
        return self.unanswered("reward_scores", self._wanted(shard, judged)), False

    def _response_screens(self, shard: str) -> tuple[pl.DataFrame, bool]:
        instrument = self.project.instruments.screens.unsafe
        assert instrument is not None
        features, questions = self._answers(shard)
        if features is not None:
            return unsafe.requests(answers_with_checks(features, questions), instrument), True
        return self.unanswered("response_screens", self._wanted(shard, questions)), False

    def _answers(self, shard: str) -> tuple[pl.DataFrame | None, pl.DataFrame]:
        """The answers of a shard, None where they are not up to date, and its questions."""
        features = self._read("response_features", shard, ANSWER)
        return features, self._questions(shard, CHECKED if features is not None else PUBLISHED)

    def _wanted(self, shard: str, questions: pl.DataFrame) -> pl.DataFrame:
        """`questions` with a row for each answer that is wanted."""
        return self.demand.responses(shard, questions.select("question_id", "question", "published", *AGAINST))

    def unanswered(self, asset: str, wanted: pl.DataFrame) -> pl.DataFrame:
        """The requests of an asset about answers that do not exist yet, one per row (question_id, question,
        reference_answer)."""
        rows = wanted.select("question_id", "question", reference="reference_answer", response_id=pl.lit(""),
                             answer=pl.lit(PLACEHOLDER_ANSWER))  # fmt: skip
        instruments = self.project.instruments
        if asset == "reward_scores":
            requests = judge_requests(rows, instruments.reward)
        elif asset == "response_screens":
            assert instruments.screens.unsafe is not None
            requests = unsafe.requests(rows, instruments.screens.unsafe)
        else:
            assert instruments.math.opinion is not None
            requests = opinion.requests(rows, instruments.math.opinion)
        return _with_placeholder_keys(requests)

    def priced(self, asset: str, missing: pl.DataFrame, at_most: str) -> Estimate:
        """The estimate of requests; `at_most` says why they may turn out to be fewer, empty where they are exact."""
        means = self._means[NAMESPACES[asset]]
        if "difficulty" not in missing.columns:
            missing = missing.with_columns(difficulty=pl.lit(None, pl.String))
        if "likely" not in missing.columns:
            missing = missing.with_columns(**CERTAIN)
        basis = [at_most] if at_most else []
        models = tuple(missing["model"].unique(maintain_order=True))
        tokens_in, tokens_out, dollars, most, likely = 0, 0, 0.0, 0.0, pl.col("likely")
        unpriced = False
        for (model, difficulty), rows in missing.group_by("model", "difficulty", maintain_order=True):
            limit = json.loads(rows["sampling"][0])["max_tokens"]
            mean, answers = means.get((model, difficulty)) or means.get((model, None)) or (limit, 0)
            seen = f"the mean of {answers:,} stored" if answers else "its limit, as none is stored yet"
            of = f"{model} ({difficulty})" if difficulty else model
            basis += self.chances.basis(of, rows)
            basis.append(f"{of}: {counted(round(mean), 'token')} an answer, {seen}")
            chars, count = rows.select((pl.col("messages").str.len_chars() * likely).sum(), likely.sum()).row(0)
            asked, answered = int(chars) // CHARS_A_TOKEN, round(count * mean)
            tokens_in, tokens_out = tokens_in + asked, tokens_out + answered
            endpoints = self.project.endpoints_of(str(model))
            prices = [price for endpoint in endpoints if (price := endpoint.prices(str(model)))]
            if len(prices) == len(endpoints):
                discount = endpoints[0].batch_price_factor if endpoints[0].batch else 1
                dollars += (asked * prices[0][0] + answered * prices[0][1]) / 1e6 * discount
                dearest = [max(price) for price in zip(*prices, strict=True)]
                most += sum(tokens * price for tokens, price in zip(max_total_tokens(rows), dearest, strict=True)) / 1e6
            else:
                unpriced = True
                basis.append(f"{model}: no price known: set input_price and output_price in endpoints.yaml")
        return Estimate(
            round(missing["likely"].sum()),
            missing.height,
            not (at_most or missing["waits"].any()),
            tokens_in,
            tokens_out,
            None if unpriced else dollars,
            None if unpriced else most,
            tuple(basis),
            models,
        )

    @cached_property
    def _means(self) -> dict[str, dict[tuple, tuple[float, int]]]:
        """By namespace: mean completion tokens and number of stored answers by (model, None) and, for teachers, by
        (model, difficulty)."""
        means: dict[str, dict[tuple, tuple[float, int]]] = {name: {} for name in NAMESPACES.values()}
        figures = (pl.mean("completion_tokens"), pl.len().alias("answers"))
        for namespace in means:
            known = self.memo.known(namespace)
            if known is not None and "requested_model" in known.collect_schema():
                for model, mean, answers in known.group_by("requested_model").agg(figures).collect().rows():
                    means[namespace][model, None] = (mean, answers)
        store = StoredTables(self.project.assets)
        tables = [[store.path(name, at) for at in store.partitions(name)] for name in ("responses", "question_labels")]
        if all(tables):
            responses, known_labels = map(pl.scan_parquet, tables)
            distilled = responses.filter(pl.col("origin") == "distilled").select(
                "question_id", "teacher", "completion_tokens"
            )
            difficulties = known_labels.select("question_id", pl.col("difficulty").cast(pl.String)).unique()
            by_difficulty = (
                distilled.join(difficulties, on="question_id").group_by("teacher", "difficulty").agg(figures)
            )
            for model, difficulty, mean, answers in by_difficulty.collect().rows():
                means["responses"][model, difficulty] = (mean, answers)
        return means


def _with_placeholder_keys(requests: pl.DataFrame) -> pl.DataFrame:
    """Requests with placeholder texts, with keys of their own: none is a duplicate, and none is in the memo."""
    return requests.with_row_index("key").with_columns(pl.format("not known yet: {}", "key").alias("key"))
