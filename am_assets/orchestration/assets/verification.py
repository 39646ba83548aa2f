"""Assets of verification: verdicts by each verifier, consensus, reward scores, and `verified_set`, which decides on
responses."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import dagster as dg
import polars as pl

from am_assets.config.instruments import Instruments, Opinion
from am_assets.config.recipe import TeacherPolicy, VerificationPolicy
from am_assets.distillation import parts
from am_assets.engines import plots
from am_assets.engines.llm import ANSWER
from am_assets.engines.models import reward_model
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.partitions import all_of
from am_assets.orchestration.resources import IDENTITY, Answers
from am_assets.orchestration.tables import Table, picture
from am_assets.orchestration.usage import usage
from am_assets.runtime import kept
from am_assets.storage.memo import FillResult, with_keys
from am_assets.storage.segments import ROW_GROUP
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.storage.streams import Stored, Stream, groups, mapped
from am_assets.verification import candidates, consensus, decide, figures, jobs, opinion, reward, screens
from am_assets.verification.screens import NOBODY, unsafe
from am_assets.verification.verifiers import VERIFIERS, Verifier, applicable, module_of
from am_assets.verification.verifiers.base import JOBS_BYTES, JOBS_ROWS, UNREACHED, Measuring, fill, without_sandbox

MATH = VERIFIERS["math"]
REPLY = pl.Schema({name: ANSWER[name] for name in ("key", "text", "prompt_tokens", "completion_tokens", "cost")})
Ready = Callable[[], Iterable[pl.DataFrame]]  # frames made anew at each call, one or more, the first of them empty
AGREEMENT = "agreement"  # metadata of reward scores: agreement of the judge with itself
SCREENED = "screened"  # metadata: the share of responses that each screen finds anything in
FIGURES = "figures"  # metadata of a verified set that the next one is compared with


def verdicts(verifier: Verifier) -> Table:
    """The evidence table of a verifier, declared as its entry says."""

    def body(
        response_features: Stored, raw_pool: Stored, here: Declared, answers: dg.ResourceParam[Answers]
    ) -> tuple[Stream, dict]:
        limits = getattr(here.instruments, verifier.section)
        checks = jobs.checks(raw_pool, applicable()[verifier.name])
        measuring = Measuring(verifier, limits)

        def ready() -> Iterator[pl.DataFrame]:
            for rows in jobs.batches(response_features, checks):
                yield jobs.jobs(verifier, rows, limits)

        def complete(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
            return groups(jobs.of(missing, ready()), JOBS_BYTES, JOBS_ROWS)

        def verified(rows: pl.DataFrame) -> pl.DataFrame:
            kept = answers.memo.read(verifier.name, rows, verifier.measured)
            return rows.join(pl.concat([kept, transients]), on="key", maintain_order="left")

        narrow = {"key", *verifier.columns.column_names()}
        ids = (rows.select(name for name in rows.columns if name in narrow) for rows in ready())
        wanted = mapped(ids, response_features.path)
        new = answers.complete(verifier.name, wanted, measuring, verifier.measured, complete)
        transients = measuring.transients()
        metadata: dict = {"verified": new.height}
        if verifier.transient is not None:
            metadata[UNREACHED] = measuring.unreached(wanted)
        judged = NOBODY
        if verifier.opinions and limits.opinion:
            judged, cost = _opinions(lambda: map(verified, ready()), limits.opinion, answers)
            metadata |= cost
        counts: Counter[str] = Counter()

        def table() -> Iterator[pl.DataFrame]:
            for rows in map(verified, wanted.iter_slices(ROW_GROUP)):
                counts.update(rows["verdict"].cast(pl.String))
                yield opinion.opinions(rows, judged) if verifier.opinions else rows

        return Stream(table(), lambda: {"verdicts": dict(counts.most_common())}), metadata

    body.__doc__ = verifier.doc
    rules = (module_of(verifier), opinion) if verifier.opinions else (module_of(verifier),)
    sections = (verifier.section,) if verifier.opinions else verifier.instruments()
    declare = tables.evidence(
        "verification",
        "shards",
        name=verifier.table,
        pool=_pool_of(verifier),
        reads=Reads(rules, sections),
        unfinished=without_sandbox,
    )
    return declare(body)


def _pool_of(verifier: Verifier) -> str | Callable[[Instruments], str | None] | None:
    """The pool of a verifier: the judge's where the instruments name a model for opinions."""
    if not verifier.opinions:
        return verifier.pool
    return lambda instruments: "judge" if getattr(instruments, verifier.section).opinion else verifier.pool


def _opinions(verified: Ready, instrument: Opinion, answers: Answers) -> tuple[pl.DataFrame, dict]:
    """What a language model says of answers that were verified (response_id, model, text), and the metadata of that."""

    def requests() -> Iterator[pl.DataFrame]:
        for rows in verified():
            yield opinion.requests(opinion.rows_to_ask(rows, instrument), instrument)

    filled = _asked("opinions", requests, answers)
    return filled.table.select("response_id", "model", "text"), usage(filled)


def _asked(namespace: str, requests: Ready, answers: Answers) -> FillResult:
    """Requests with their answers. Frames of requests are made twice: for their keys, and with their texts for what was
    not answered yet."""

    def keyed() -> Iterator[pl.DataFrame]:
        return (with_keys(frame, *IDENTITY) for frame in requests())

    def complete(missing: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([*jobs.of(missing, keyed())])

    wanted = pl.concat(frame.drop("messages", "sampling") for frame in keyed())
    return answers.ask(namespace, wanted, complete, REPLY)


verdict_tables = [verdicts(verifier) for verifier in VERIFIERS.values()]


@tables.evidence(
    "verification", "shards", reads=Reads((consensus, module_of(MATH)), MATH.instruments()), pool=MATH.pool
)
def answer_consensus(
    response_features: pl.LazyFrame, raw_pool: pl.LazyFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Of the answers to one question, those that state the same result, whatever reference it has: classes of results
    that the verifier of math finds equal, for questions without tests that have several answers. No share is cut: what
    suffices is the recipe's."""
    told = consensus.answers_to_compare(response_features, raw_pool)
    compared = Comparisons(MATH, here.instruments.math, answers)
    with kept.keep_open():  # its workers, from one round of comparisons to the next
        table = consensus.consensus(told, compared.equal)
    return table, {
        "compared": compared.noted(),
        "questions": table["question_id"].n_unique(),
        "without_result": table["result"].null_count(),
    }


class Comparisons:
    """Pairs of results that a verifier holds against each other, each once and remembered like its verdicts."""

    def __init__(self, verifier: Verifier, limits: Any, answers: Answers):
        self.verifier, self.limits, self.answers = verifier, limits, answers
        texts = dict.fromkeys(("question_id", "answer", "reference"), pl.String())
        none = pl.DataFrame(schema={**texts, "response_id": pl.List(pl.String())})
        self.jobs = verifier.with_job_keys(none, limits)
        self.new = 0

    def equal(self, pairs: pl.DataFrame) -> pl.Series:
        """By row of `pairs` (question_id, answer, reference, response_id), whether it passes."""
        jobs = self.verifier.with_job_keys(pairs, self.limits)
        filled = fill(self.verifier, jobs, self.limits, self.answers.memo.fill)
        self.jobs, self.new = pl.concat([self.jobs, jobs]), self.new + filled.new
        verdicts = jobs.join(
            filled.table.select("key", "verdict").unique("key"), on="key", how="left", maintain_order="left"
        )
        return verdicts["verdict"] == "pass"

    def noted(self) -> int:
        """Note all of them as what this partition uses; the number of those that were new."""
        jobs = self.jobs.explode("response_id")
        self.answers.fill(self.verifier.name, jobs, lambda _: (), self.verifier.measured)
        return self.new


@tables.evidence(
    "verification",
    "shards",
    pool="judge",
    reads=Reads((reward, reward_model), tuple(f"reward.{name}" for name in ("model", "max_tokens", "judges", "audit"))),
)
def reward_scores(
    response_features: Stored, raw_pool: Stored, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Five dimensions by a judge or a reward model, on the answer part alone, for responses that no reference, tests
    or constraints can check, or for all where the instruments say so. An audit asks the judge about a sample again to
    measure its agreement with itself; a reward model is deterministic and not audited."""
    instrument = here.instruments.reward
    checks = jobs.checks(raw_pool)

    def judged() -> Iterator[pl.DataFrame]:
        return (jobs.to_judge(rows, instrument) for rows in jobs.batches(response_features, checks))

    if instrument.local:
        return _by_model(judged, instrument.local, here, answers)
    filled = _asked("rewards", lambda: (jobs.judge_requests(rows, instrument) for rows in judged()), answers)
    replies = filled.table.select("response_id", "question_id", "ask", "text")
    table = reward.reward_table(replies.filter(ask="first"), instrument.model)
    return table, usage(filled) | {AGREEMENT: reward.agreement(replies)}


def _by_model(judged: Ready, name: str, here: Declared, answers: Answers) -> tuple[pl.DataFrame, dict]:
    model = here.instruments.reward.model
    at_once = here.endpoints_of(model)[0].concurrency

    def keyed() -> Iterator[pl.DataFrame]:
        identity = [name, reward_model.VERSION]
        return (with_keys(rows, "question", "answer", identity=identity) for rows in judged())

    def complete(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        return groups(jobs.of(missing, keyed()), JOBS_BYTES, JOBS_ROWS)

    def measure(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        return reward_model.score(rows, name, at_once)

    wanted = pl.concat(rows.select("key", "response_id", "question_id") for rows in keyed())
    filled = answers.fill("reward_models", wanted, measure, reward_model.SCORED, complete)
    table = reward.reward_model_table(filled.table, model)
    return table, {"scored": filled.new.height, AGREEMENT: {}}


@tables.evidence(
    "verification",
    "shards",
    pool=lambda instruments: "judge" if instruments.screens.unsafe else None,
    reads=Reads((screens, parts), ("screens",)),
)
def response_screens(
    responses: Stored, raw_pool: Stored, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """What screens found in each response and its question before release: keys, personal data, a teacher that names
    itself or the end of its knowledge, refusals, and unsafe content where the instruments name a model to judge it. The
    finding and its part; what drops a response is the recipe's."""

    def read() -> Iterator[pl.DataFrame]:
        return map(parts.split, responses.batches(["response_id", "question_id", "response"]))

    judged, cost = NOBODY, {}
    if instrument := here.instruments.screens.unsafe:
        checks = jobs.checks(raw_pool)
        asked = _asked(
            "unsafe",
            lambda: (unsafe.requests(jobs.answers_with_checks(rows, checks), instrument) for rows in read()),
            answers,
        )
        judged, cost = asked.table.select("response_id", "model", "text"), usage(asked)
    else:
        answers.want_none("unsafe")
    table = screens.response_screens(read(), raw_pool.lazy(), judged)
    return table, {SCREENED: figures.screened(table), **cost}


@tables.decision(
    "verification",
    "recipes",
    deps=lambda _: all_of(*candidates.READ),
    reads=Reads((decide,), facts=("shards", "verifiers")),
    read_below=("min_reward",),
)
def verified_set(
    context: dg.AssetExecutionContext,
    here: Declared,
    verification_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """Every candidate response of the recipe, kept or dropped with the reason. Candidates are the answers to the
    recipe's own requests and, where its teacher policy says so, published responses."""
    published = read_policy(TeacherPolicy, teacher_policy).published
    policy = read_policy(VerificationPolicy, verification_policy)
    asked = ["question_id", "shard", "source", "category", "difficulty"]
    selected = selected_questions.filter("kept").select(asked).collect()

    def decided(shard: str) -> pl.DataFrame:
        def read(name: str, columns: list[str]) -> pl.DataFrame:
            return tables.read(name, shard, columns)

        ours = selected.filter(pl.col("shard") == shard)
        return decide.verified_set(candidates.candidates(read, ours, context.partition_key, published), policy)

    table = pl.concat(decided(shard) for shard in sorted(here.shards))
    fates = figures.fates(table)
    rates = figures.pass_rates(table, ["category"])
    return table, {
        "kept": int(table["kept"].sum()),
        "min_reward": policy.min_reward,
        "verdicts": dict(table["verdict"].cast(pl.String).value_counts(sort=True).rows()),
        "drop_reasons": dict(fates.filter(pl.col("fate") != "kept").rows()),
        "fates": picture(plots.bar_chart_png(fates, "fate", "responses", "What became of the responses")),
        "pass_rate_by_category": picture(plots.bar_chart_png(rates, "category", "pass_rate", "Pass rate")),
        FIGURES: figures.figures(table),
        SCREENED: figures.screened(table),
        "pass_rates": {by: figures.pass_rates(table, [by]).to_dicts() for by in figures.BY},
    }
