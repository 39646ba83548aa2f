"""Removal of what `exclude.txt` lists from everything that was stored before it was listed.

An apply makes the tables and releases without it. What remains is the memo, samples of rows in Dagster's records, and
students. Here the first two are purged, and what still holds an excluded text is named.
"""

import html
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.config.vocabulary import EXCLUDED
from am_assets.datasets import sources
from am_assets.datasets.exclusions import FILE, Exclusions, spellings
from am_assets.datasets.published import published, response_ids
from am_assets.distillation.parts import full_response
from am_assets.engines.llm import ANSWER
from am_assets.orchestration.history import blank_old_samples
from am_assets.orchestration.schemas import TABLES
from am_assets.planning.plan import Plan
from am_assets.planning.upkeep import referenced
from am_assets.project import Project
from am_assets.storage import segments
from am_assets.storage.copies import of
from am_assets.storage.memo import Memo
from am_assets.storage.stored import StoredTables
from am_assets.storage.streams import Stored
from am_assets.storage.texts import held, holding

SHOWN = 5  # stale partitions named in a message
RESPONSES = "responses"
OF_SHARDS = ("overlap", "overlaps", "pairs")  # namespaces whose rows are of whole shards, and hold ids and numbers
BLANK = {"text": pl.lit(""), "reasoning": pl.lit(None, pl.String), "message": pl.lit("{}"),
         "finish_reason": pl.lit(EXCLUDED)}  # fmt: skip


@dataclass
class Purged:
    """`removed`: rows of the memo by namespace. `emptied`: answers of teachers whose text was removed and that still
    count as asked for. `samples`: those of earlier tables in Dagster's records. `held`: files that still hold an
    excluded text. `students`: folders of students that no recipe has now. `unknown`: rows of the memo that no partition
    wants and that were measured before it was noted of what."""

    removed: dict[str, int] = field(default_factory=dict)
    emptied: int = 0
    samples: int = 0
    held: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    unknown: int = 0


@dataclass(frozen=True)
class _Gone:
    """Ids of excluded questions and responses, keys of the teacher's answers among the latter, and all texts of them
    that are known."""

    questions: list[str]
    responses: list[str]
    answers: list[str]
    texts: list[str]


def refuse_unready(plan: Plan, here: Project) -> None:
    """`ConfigError` where nothing is excluded, or where tables were not made since."""
    if not here.exclusions:
        raise ConfigError(f"nothing to purge: {here.sources_file.with_name(FILE)} lists nothing")
    shards = sources.shard_keys(here.sources)
    # What was never made holds none, nor do tables that wait for nothing else.
    unmade = [
        step for step in plan.steps() if step.state == "stale" or (step.state == "missing" and step.partition in shards)
    ]
    if steps := [f"{step.asset}[{step.partition}]" for step in unmade]:
        raise ConfigError(
            f"nothing was purged: {', '.join(steps[:SHOWN])}{' and others' if steps[SHOWN:] else ''} may still be made"
            " with what is excluded; run `am apply --all` first (what is in the memo costs nothing)"
        )


def purge(plan: Plan, here: Project) -> Purged:
    """Remove what is excluded from the memo and from Dagster's records, and name what still holds it.

    `ConfigError` of `refuse_unready`, and where a source can't be read that excluded rows came from.
    """
    refuse_unready(plan, here)
    memo, done = Memo(here.memo), Purged()
    gone = _gone(memo, StoredTables(here.assets), here)
    for namespace in memo.namespaces():
        _purge_namespace(memo, namespace, plan, gone, here.exclusions, done)
    shutil.rmtree(here.tokens, ignore_errors=True)  # of all rows that were ever trained on
    done.samples = blank_old_samples(here.instance)
    sought = spellings([*here.exclusions.texts, *gone.texts])
    sought = list(dict.fromkeys([*sought, *(html.escape(text) for text in sought)]))
    of(here.assets).bring(here.assets)
    within = [here.assets, here.memo, here.graphs, here.mapped, here.instance]
    done.held = [str(path.relative_to(here.data)) for path in holding(within, sought)]
    done.students = _students_of_before(here.assets)
    return done


def _gone(memo: Memo, store: StoredTables, here: Project) -> _Gone:
    """What is excluded, from the tables as they are now, the sources as they are, and the memo as it was."""
    questions, originals, texts = {*here.exclusions.question_ids}, [], []
    for shard in sources.shard_keys(here.sources):
        listed = store.read("raw_pool", shard, ["question_id", "defect"]).filter(defect=EXCLUDED)["question_id"]
        pool = Stored(store.path("raw_pool", shard)).batches(["question_id", "published"])
        blanks = [published(questions).filter(finish_reason=EXCLUDED) for questions in pool]
        blank = pl.concat(blanks) if blanks else published(TABLES["raw_pool"].create_empty())
        if listed.len() or blank.height:
            questions.update(listed)
            before = sources.read_shard(here.sources, shard, here.sources_file.parent)
            own = before.filter(pl.col("question_id").is_in(listed.implode()))
            at = ["question_id", "teacher", "sample_index"]
            originals += [published(own), published(before).join(blank, on=at, how="semi", nulls_equal=True)]
            texts += [text for text in own["question"] if text.strip()]
    answered = [store.scan(RESPONSES, shard).drop("response") for shard in store.partitions(RESPONSES)]
    blanked = (pl.col("finish_reason") == EXCLUDED) & (pl.col("origin") == "distilled")
    empty = pl.concat(answered).filter(blanked).collect() if answered else pl.DataFrame()
    if empty.height:
        known = memo.read(RESPONSES, empty.select(key="request_key"), ANSWER).filter(
            pl.col("finish_reason") != EXCLUDED
        )
        said = known.select(request_key="key", response=full_response(known))
        originals.append(empty.join(said, on="request_key"))
    ids = {one for rows in originals for one in response_ids(rows)} | here.exclusions.ids
    for owners in map(memo.owners, memo.namespaces()):  # not every namespace knows the question of a response
        ids |= {*owners.filter(pl.col("question_id").is_in(list(questions)))["response_id"].drop_nulls()}
    texts += [text for rows in originals for text in rows["response"] if text.strip()]
    keys = empty["request_key"].to_list() if empty.height else []
    return _Gone(sorted(questions), sorted(ids), keys, texts)


def _purge_namespace(memo: Memo, namespace: str, plan: Plan, gone: _Gone, exclusions: Exclusions, done: Purged) -> None:
    owners = memo.owners(namespace)
    is_gone = pl.col("question_id").is_in(gone.questions) | pl.col("response_id").is_in(gone.responses)
    owners = owners.with_columns(gone=is_gone.fill_null(False))
    keys = owners.filter("gone").join(owners.filter(~pl.col("gone")), on="key", how="anti").select("key")
    wanted, known = referenced(memo, plan, namespace), memo.known(namespace)
    if wanted is not None:
        keys = keys.join(wanted, on="key", how="anti")
    if wanted is not None and known is not None and namespace not in OF_SHARDS:
        unwanted = known.select("key").unique().join(wanted.lazy(), on="key", how="anti")
        done.unknown += unwanted.join(owners.lazy(), on="key", how="anti").select(pl.len()).collect().item()

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        left = rows.join(keys, on="key", how="anti", maintain_order="left")
        says = held(left, exclusions.spelled)
        if namespace != RESPONSES:
            return left.filter(~says)
        asked = (left["key"].is_in(gone.answers) | says) & (left["finish_reason"] != EXCLUDED)
        done.emptied += int(asked.sum())
        blank = {name: value for name, value in BLANK.items() if name in left.columns}
        return left.with_columns(
            pl.when(asked).then(value).otherwise(name).alias(name) for name, value in blank.items()
        )

    if removed := segments.rewrite(memo.folder / namespace, change):
        done.removed[namespace] = removed


def _students_of_before(assets: Path) -> list[str]:
    """The folders of students that no table names, relative to that of the tables' parent."""
    named = {
        Path(place).name
        for path in (assets / "sft_checkpoint").glob("*.parquet")
        for place in pl.read_parquet(path, columns=["path"])["path"]
    }
    there = sorted(path for path in (assets / "checkpoints").glob("*") if path.is_dir())
    return [str(path.relative_to(assets.parent)) for path in there if path.name not in named]
