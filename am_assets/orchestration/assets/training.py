"""Assets of training: the released sets and the student trained on the first of them."""

import os
import time
from functools import partial
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
from am_assets.distillation import parts
from am_assets.engines import plots
from am_assets.engines.models import devices, student
from am_assets.engines.models.language import UNDETERMINED
from am_assets.evaluation import report
from am_assets.orchestration import students, tables, texts, together
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.partitions import all_of, every
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.tables import content_version, empty, picture
from am_assets.selection.decontaminate import by_benchmark
from am_assets.storage.copies import of
from am_assets.storage.memo import key_of
from am_assets.storage.schemas import SftDataset
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.storage.streams import Stream
from am_assets.training import card, dataset, preference, release, rl, rows, sets, sft, watching
from am_assets.verification.figures import BY, findings, pass_rates
from am_assets.verification.verifiers import VERIFIERS

MADE_WITH = ["am-assets", "dagster", "polars", "math-verify", "litellm", "sentence-transformers", "hnswlib"]
CHECKPOINTS = "checkpoints"  # the folder of trained students, below the assets folder
_RELEASED = ["response_features", "responses", "raw_pool"]  # read shard by shard
AGAINST = {name: verifier.against for name, verifier in VERIFIERS.items()}
OUTCOMES = "questions"  # metadata of the sets beside the dataset: what became of how many questions


@tables.decision("training", "recipes", deps=lambda _: all_of(*_RELEASED), reads=Reads((dataset, release, parts)))
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
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """The kept responses, with a hash of what is released of each. The release is written beside this table, in a
    folder named by the recipe: Parquet that trainers read as it is, and a card that says how the rows came to be. Texts
    are read for the files whose rows changed."""
    policy = read_policy(ReleasePolicy, release_policy)
    kept = verified_set.filter("kept")
    table = texts.decided(tables, kept, policy.extra)
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
        content=content_version(table.select(SftDataset.column_names())),
        recipe={name: section.model_dump(mode="json") for name, section in made_by.items()},
        license=policy.license,
        languages=_languages(table),
        # Automation makes a recipe anew one level at a time, and this card once more after each.
        funnel=report.counts(deduped_set, selected_questions, verified_set, table),
        rates={by: pass_rates(verified_set, [by]) for by in BY},
        contaminated=by_benchmark(selected_questions, sampling.decontamination),
        screens=findings(verified_set),
        versions={name: version(name) for name in MADE_WITH},
    )
    folder = here.assets / "sft_dataset" / context.partition_key
    of(folder).folder_here(folder)  # files whose rows did not change are taken from it
    release.write_release(table, partial(texts.released, tables), folder, about, policy, parts.VERSION)
    mix = {name: dict(table[name].value_counts(sort=True).rows()) for name in ("category", "difficulty", "teacher")}
    return table, {
        **mix,
        "licenses": dict(table["license"].fill_null(UNKNOWN).value_counts(sort=True).rows()),
        "release": dg.MetadataValue.path(str(folder)),
        "report": dg.MetadataValue.asset(dg.AssetKey("recipe_report")),
        "response_length": picture((folder / release.LENGTHS).read_bytes()),
        "difficulty_mix": picture(
            plots.bar_chart_png(table["difficulty"].value_counts(sort=True), "difficulty", "count", "Difficulty")
        ),
    }


def _languages(rows: pl.DataFrame) -> list[str]:
    """Of the answers of at least a hundredth of the rows, most frequent first."""
    counts = rows.filter(pl.col("answer_language") != UNDETERMINED).group_by("answer_language").len()
    often = counts.filter(pl.col("len") * 100 >= rows.height)
    return often.sort("len", "answer_language", descending=[True, False])["answer_language"].to_list()


@tables.evidence("training", "recipes", pool="gpu", reads=Reads((sft,)))
def sft_checkpoint(
    context: dg.AssetExecutionContext,
    here: Declared,
    sft_dataset: pl.DataFrame,
    training_policy: pl.DataFrame,
    pipes: dg.PipesSubprocessClient,
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """The student trained on the dataset, in Hugging Face layout. The folder of a checkpoint is named by a hash of its
    inputs, so the same rows, student and policy are trained once, whichever recipe wants it. A training that was killed
    goes on from where it last saved."""
    policy = read_policy(TrainingPolicy, training_policy)
    base = student.student_folder(policy.student, here.models)
    place, folder = here.assets / "sft_dataset" / context.partition_key, here.assets / CHECKPOINTS
    of(place).folder_here(place)
    if not release.is_of(place, sft_dataset):
        raise ValueError(f"{place} is no release of sft_dataset as it is stored: materialize sft_dataset again")
    weights = [policy.identity(), student.weights_sha256(base)]
    content = rows.content(place).hash
    identity = key_of(sft.VERSION, content, *weights)
    memo = answers.memo
    trained = partial(students.trained, memo, folder, identity, content, weights)
    with students.claimed(memo, identity, trained) as made:
        made = made or students.trained_before(memo, folder, sft_dataset, place, weights)
        reused, began = made is not None, time.monotonic()
        if made is None:
            job = sft.Job(
                rows=place,
                student=base,
                output=folder / identity,
                policy=policy,
                identity=identity,
                cache=here.tokens,
                run=os.getpid(),
                hardware=devices.preset_here(here.hardware)[1],
                report_to=sft.reporter(),
            )
            metrics = together.trained(context, pipes, job, sft.reports_in(here.data / "runs"))
            if sft.FAULT in metrics:
                raise RuntimeError(metrics[sft.FAULT])
            # Published by a process of its own, which knows no store.
            of(folder).keep_folder(folder / identity, folder / identity)
            of(folder).kept_folder(folder / identity)
            made = {"sha256": student.weights_sha256(folder / identity), students.FOLDER: identity, **metrics}
        if made.get("key") != identity:  # new, or made by an earlier version
            students.remember(memo, identity, made)
    speed = {} if reused else {"tokens_per_second": round(made["tokens"] / (time.monotonic() - began))}
    table = pl.DataFrame([made]).with_columns(
        student=pl.lit(policy.student), path=pl.concat_str(pl.lit(f"{CHECKPOINTS}/"), students.FOLDER)
    )
    return table, {
        "checkpoint": table["path"].item(),
        "reused": reused,
        "left_out": made["left_out"],
        "last_loss": made["last_loss"],
        **speed,
    }


@tables.evidence("training", "recipes", reads=Reads((watching,)))
def training_log(here: Declared, sft_checkpoint: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
    """Loss, learning rate and norm of the gradient at each step of the student's training. Empty for one that was
    trained before such a log was kept."""
    folder = here.assets / sft_checkpoint["path"].item()
    of(folder).folder_here(folder)
    log = watching.read_log(folder)
    if not log.height:
        return log, {}
    return log, {"loss": tables.picture(plots.line_png(log, "step", "loss", "Loss by step"))}


@tables.decision(
    "training",
    "recipes",
    deps=lambda _: all_of("responses", "raw_pool"),
    reads=Reads((preference, sets, parts)),
)
def preference_dataset(
    context: dg.AssetExecutionContext,
    here: Declared,
    preference_policy: pl.DataFrame,
    verified_set: pl.DataFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[Stream, dict]:
    """Pairs of a kept response that passed and one of the same question that failed, in the conversational form of trl.
    Parquet files and a card are written beside this table, in a folder named by the recipe."""
    policy = read_policy(PreferencePolicy, preference_policy)
    ours = preference.candidates(verified_set, policy)
    asked = texts.asked(tables, ours["shard"].unique().sort())
    pairs, outcomes = preference.pairs(verified_set, texts.told_apart(tables, ours), asked, policy)
    folder = here.assets / "preference_dataset" / context.partition_key
    card = preference.card(context.partition_key, pairs, outcomes, policy)
    rows = texts.paired(tables, pairs, folder)
    release = sets.written(folder, rows, empty("preference_dataset"), preference.forms, card)
    return Stream(release), _released(pairs, folder, outcomes)


@tables.decision(
    "training",
    "recipes",
    ins={"question_features": every("shard")},
    deps=lambda _: all_of("raw_pool"),
    reads=Reads((rl, sets), facts=("verifiers",)),
)
def rl_dataset(
    context: dg.AssetExecutionContext,
    here: Declared,
    rl_policy: pl.DataFrame,
    selected_questions: pl.DataFrame,
    verified_set: pl.DataFrame,
    question_features: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[Stream, dict]:
    """The selected questions that a verifier can check, with what it compares with and how often responses passed.
    Parquet files in the forms of trl, verl and OpenRLHF and a card are written beside this table, in a folder named by
    the recipe."""
    policy = read_policy(RlPolicy, rl_policy)
    ours = selected_questions.filter("kept")
    features = question_features.select(rl.FEATURES).join(ours.lazy(), on="question_id", how="semi").collect()
    asked = texts.asked(tables, ours["shard"].unique().sort())
    rows, outcomes = rl.rl_rows(selected_questions, verified_set, features, asked, policy)
    folder = here.assets / "rl_dataset" / context.partition_key
    forms = partial(rl.forms, against=AGAINST, repaired=rows["replaced"].any())
    card = rl.card(context.partition_key, rows, outcomes, policy)
    release = sets.written(folder, texts.checked(tables, rows, folder), empty("rl_dataset"), forms, card)
    return Stream(release), _released(rows, folder, outcomes)


def _released(rows: pl.DataFrame, folder: Path, outcomes: dict[str, int]) -> dict:
    counts = pl.DataFrame({"outcome": list(outcomes), "questions": list(outcomes.values())})
    shown = plots.bar_chart_png(counts, "outcome", "questions", "What became of the questions")
    return {
        OUTCOMES: outcomes,
        **{name: dict(rows[name].value_counts(sort=True).rows()) for name in ("source", "category", "difficulty")},
        "release": dg.MetadataValue.path(str(folder)),
        "outcomes": tables.picture(shown),
    }
