"""Assets of training: the released sets and the student trained on the first of them."""

import os
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import polars as pl

from am_assets.config.licenses import UNKNOWN
from am_assets.config.recipe import (
    DedupPolicy,
    ReleasePolicy,
    SamplingPolicy,
    TeacherPolicy,
    TrainingPolicy,
    VerificationPolicy,
)
from am_assets.config.sets import PreferencePolicy, RlPolicy
from am_assets.engines import plots
from am_assets.engines.models import devices, student
from am_assets.engines.models.language import UNDETERMINED
from am_assets.evaluation import report
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.partitions import every
from am_assets.selection.decontaminate import by_benchmark
from am_assets.storage.memo import Memo, key_of
from am_assets.storage.stored import read_policy
from am_assets.training import card, dataset, preference, release, rl, sets, sft, watching
from am_assets.verification.figures import BY, findings, pass_rates
from am_assets.verification.verifiers import VERIFIERS

MADE_WITH = ["am-assets", "dagster", "polars", "math-verify", "litellm", "sentence-transformers", "hnswlib"]
CHECKPOINTS = "checkpoints"  # the folder of trained students, below the assets folder
OUTCOMES = "questions"  # metadata of the sets beside the dataset: what became of how many questions


@tables.decision(
    "training",
    "recipes",
    ins={"response_features": every("shard"), "raw_pool": every("shard")},
    reads=Reads((dataset, release)),
)
def sft_dataset(
    context: dg.AssetExecutionContext,
    here: Declared,
    dedup_policy: pl.DataFrame,
    sampling_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    verification_policy: pl.DataFrame,
    release_policy: pl.DataFrame,
    deduped_set: pl.DataFrame,
    selected_questions: pl.DataFrame,
    verified_set: pl.DataFrame,
    response_features: pl.LazyFrame,
    raw_pool: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """The kept responses with their texts. The release is written beside this table, in a folder named by the recipe:
    Parquet that trainers read as it is, and a card that says how the rows came to be."""
    policy = read_policy(ReleasePolicy, release_policy)
    kept = verified_set.filter("kept").lazy()
    features = response_features.join(kept, on="response_id", how="semi").unique("response_id").collect()
    pool = raw_pool.join(kept, on="question_id", how="semi").collect()
    table = dataset.sft_table(verified_set, features, pool, policy.extra)
    sampling = read_policy(SamplingPolicy, sampling_policy)
    made_by = {
        "dedup": read_policy(DedupPolicy, dedup_policy),
        "sampling": sampling,
        "teacher": read_policy(TeacherPolicy, teacher_policy),
        "verification": read_policy(VerificationPolicy, verification_policy),
        "release": policy,
    }
    about = card.About(
        name=context.partition_key,
        content=tables.content_version(table),
        recipe={name: section.model_dump(mode="json") for name, section in made_by.items()},
        license=policy.license,
        languages=_languages(features),
        # Automation makes a recipe anew one level at a time, and this card once more after each.
        funnel=report.counts(deduped_set, selected_questions, verified_set, table),
        rates={by: pass_rates(verified_set, [by]) for by in BY},
        contaminated=by_benchmark(selected_questions, sampling.decontamination),
        screens=findings(verified_set),
        versions={name: version(name) for name in MADE_WITH},
    )
    folder = here.assets / "sft_dataset" / context.partition_key
    release.write_release(table, verified_set.select("response_id", "shard"), folder, about, policy)
    mix = {name: dict(table[name].value_counts(sort=True).rows()) for name in ("category", "difficulty", "teacher")}
    return table, {
        **mix,
        "licenses": dict(table["license"].fill_null(UNKNOWN).value_counts(sort=True).rows()),
        "release": dg.MetadataValue.path(str(folder)),
        "report": dg.MetadataValue.asset(dg.AssetKey("recipe_report")),
        "response_length": tables.picture((folder / release.LENGTHS).read_bytes()),
        "difficulty_mix": tables.picture(
            plots.bar_chart_png(table["difficulty"].value_counts(sort=True), "difficulty", "count", "Difficulty")
        ),
    }


def _languages(features: pl.DataFrame) -> list[str]:
    """Of the answers of at least a hundredth of the rows, most frequent first."""
    counts = features.filter(pl.col("answer_language") != UNDETERMINED).group_by("answer_language").len()
    often = counts.filter(pl.col("len") * 100 >= features.height)
    return often.sort("len", "answer_language", descending=[True, False])["answer_language"].to_list()


@tables.evidence("training", "recipes", pool="gpu", reads=Reads((sft,)))
def sft_checkpoint(
    context: dg.AssetExecutionContext,
    here: Declared,
    sft_dataset: pl.DataFrame,
    training_policy: pl.DataFrame,
    pipes: dg.PipesSubprocessClient,
) -> tuple[pl.DataFrame, dict]:
    """The student trained on the dataset, in Hugging Face layout. The folder of a checkpoint is named by a hash of its
    inputs, so the same rows, student and policy are trained once, whichever recipe wants it. A training that was killed
    goes on from where it last saved."""
    policy = read_policy(TrainingPolicy, training_policy)
    base = student.student_folder(policy.student, here.models)
    content = [
        tables.content_version(sft_dataset.drop(dataset.NOT_TRAINED_ON)),
        policy.identity(),
        student.weights_sha256(base),
    ]
    identity = key_of(sft.VERSION, *content)
    memo = Memo(here.memo)
    rows = _trained(memo, here.assets, [identity, *(key_of(version, *content) for version in sft.EARLIER)])
    reused = rows is not None
    began = time.monotonic()
    if rows is None:
        place = here.assets / CHECKPOINTS / identity
        with tempfile.TemporaryDirectory() as folder:
            sft_dataset.write_parquet(Path(folder, "rows.parquet"), row_group_size=1024)
            job = sft.Job(
                rows=Path(folder, "rows.parquet"),
                student=base,
                output=place,
                policy=policy,
                identity=identity,
                cache=here.tokens,
                run=os.getpid(),
                hardware=devices.preset_here(here.hardware)[1],
                report_to=sft.reporter(),
            )
            told = pipes.run(command=sft.command(job), context=context, env=sft.reports_in(here.data / "runs"))
        metrics = told.get_custom_messages()[-1]
        if sft.FAULT in metrics:
            raise RuntimeError(metrics[sft.FAULT])
        rows = pl.DataFrame([{"key": identity, "sha256": student.weights_sha256(place), **metrics}])
        memo.append("training", rows)
    table = rows.with_columns(student=pl.lit(policy.student), path=pl.concat_str(pl.lit(f"{CHECKPOINTS}/"), "key"))
    speed = {} if reused else {"tokens_per_second": round(rows["tokens"].item() / (time.monotonic() - began))}
    return table, {
        "reused": reused,
        "left_out": rows["left_out"].item(),
        "last_loss": rows["last_loss"].item(),
        **speed,
    }


def _trained(memo: Memo, assets: Path, identities: list[str]) -> pl.DataFrame | None:
    """The latest row of the memo of the first of `identities` whose checkpoint is there, as one or no row."""
    known = memo.known("training")
    if known is None:
        return None
    rows = known.filter(pl.col("key").is_in(identities)).collect()
    for identity in identities:
        found = rows.filter(key=identity)
        if found.height and (assets / CHECKPOINTS / identity).exists():
            return found.tail(1)
    return None


@tables.evidence("training", "recipes", reads=Reads((watching,)))
def training_log(here: Declared, sft_checkpoint: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
    """Loss, learning rate and norm of the gradient at each step of the student's training. Empty for one that was
    trained before such a log was kept."""
    log = watching.read_log(here.assets / sft_checkpoint["path"].item())
    if not log.height:
        return log, {}
    return log, {"loss": tables.picture(plots.line_png(log, "step", "loss", "Loss by step"))}


@tables.decision(
    "training",
    "recipes",
    ins={"response_features": every("shard"), "raw_pool": every("shard")},
    reads=Reads((preference, sets)),
)
def preference_dataset(
    context: dg.AssetExecutionContext,
    here: Declared,
    preference_policy: pl.DataFrame,
    verified_set: pl.DataFrame,
    response_features: pl.LazyFrame,
    raw_pool: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """Pairs of a kept response that passed and one of the same question that failed, in the conversational form of trl.
    Parquet files and a card are written beside this table, in a folder named by the recipe."""
    policy = read_policy(PreferencePolicy, preference_policy)
    ours = preference.candidates(verified_set, policy).lazy()
    features = response_features.join(ours, on="response_id", how="semi").collect()
    pool = raw_pool.join(ours, on="question_id", how="semi").collect()
    table, outcomes = preference.preference_table(verified_set, features, pool, policy)
    folder = here.assets / "preference_dataset" / context.partition_key
    sets.write_set(folder, {"train": table}, preference.card(context.partition_key, table, outcomes, policy))
    return table, _released(table, folder, outcomes)


@tables.decision(
    "training",
    "recipes",
    ins={"question_features": every("shard"), "raw_pool": every("shard")},
    reads=Reads((rl, sets), facts=("verifiers",)),
)
def rl_dataset(
    context: dg.AssetExecutionContext,
    here: Declared,
    rl_policy: pl.DataFrame,
    selected_questions: pl.DataFrame,
    verified_set: pl.DataFrame,
    question_features: pl.LazyFrame,
    raw_pool: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """The selected questions that a verifier can check, with what it compares with and how often responses passed.
    Parquet files in the forms of trl, verl and OpenRLHF and a card are written beside this table, in a folder named by
    the recipe."""
    policy = read_policy(RlPolicy, rl_policy)
    ours = selected_questions.filter("kept").lazy()
    features, pool = (
        upstream.join(ours, on="question_id", how="semi").collect() for upstream in (question_features, raw_pool)
    )
    table, outcomes = rl.rl_table(selected_questions, verified_set, features, pool, policy)
    folder = here.assets / "rl_dataset" / context.partition_key
    forms = rl.forms(table, {name: verifier.against for name, verifier in VERIFIERS.items()})
    sets.write_set(folder, forms, rl.card(context.partition_key, table, outcomes, policy))
    return table, _released(table, folder, outcomes)


def _released(table: pl.DataFrame, folder: Path, outcomes: dict[str, int]) -> dict:
    counts = pl.DataFrame({"outcome": list(outcomes), "questions": list(outcomes.values())})
    picture = plots.bar_chart_png(counts, "outcome", "questions", "What became of the questions")
    return {
        OUTCOMES: outcomes,
        **{name: dict(table[name].value_counts(sort=True).rows()) for name in ("source", "category", "difficulty")},
        "release": dg.MetadataValue.path(str(folder)),
        "outcomes": tables.picture(picture),
    }
