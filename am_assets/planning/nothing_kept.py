"""Why a decision keeps nothing: the reasons with their counts, and the likeliest cause."""

from collections.abc import Collection, Iterator

import polars as pl

from am_assets.config.recipe import Recipe, TeacherPolicy
from am_assets.planning.explain.lines import lines
from am_assets.project import Project
from am_assets.runtime.wording import counted
from am_assets.storage.stored import StoredTables

KEPT = ["kept", "drop_reason", "detail", "decided_by"]
# What the rows of each decision are, and why there may be none at all, from the first decision to the last.
ROWS = {
    "deduped_set": ("question", "the pool is empty: am read FILE shows what a source comes to"),
    "selected_questions": ("question", "the pool is empty: am read FILE shows what a source comes to"),
    "verified_set": ("response", "no selected question has a published response, or one of the teacher"),
}
RELEASED = "sft_dataset"
THINK = "think"  # what a prompt that asks for a think part says somewhere


def nothing_kept(here: Project, recipe: str, made: Collection[str]) -> Iterator[str]:
    """Lines about the first decision of a recipe that keeps nothing, where that, or what lies below, is one of the
    tables just `made`."""
    if not {*made} & {*ROWS, RELEASED}:
        return
    stored = StoredTables(here.assets)
    for asset, (noun, absent) in ROWS.items():
        if recipe not in stored.partitions(asset):
            continue
        rows = stored.read(asset, recipe, KEPT + (["origin"] if asset == "verified_set" else []))
        if rows["kept"].any():
            continue
        if rows.is_empty():
            yield f"{asset}[{recipe}] has no {noun}: {absent}"
            return
        rows = rows.with_columns(pl.col("drop_reason").cast(pl.String))
        reasons = rows.group_by("drop_reason").len().sort("len", "drop_reason", descending=[True, False]).rows()
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        yield f"{asset}[{recipe}] keeps none of {counted(rows.height, noun)}: {told}"
        reason, count = reasons[0]
        cause = _cause(here, recipe, reason, rows.filter(drop_reason=reason))
        yield f"{count:,} of {rows.height:,} {reason}: {cause}"
        return


def _cause(here: Project, recipe: str, reason: str, rows: pl.DataFrame) -> str:
    """The likeliest cause of a drop reason in words; `rows` were dropped for it."""
    policies = here.recipe(recipe)
    if reason == "malformed":
        return _malformed(policies, rows["origin"].mode().sort()[0])
    if reason == "truncated":
        return f"answers end at teacher.max_tokens: {policies.teacher.max_tokens:,}; raise it"
    if reason == "unchecked":
        return "no reference answer, tests or constraints; with verification.accept: best the reward decides"
    details, fields = rows["detail"].drop_nulls(), rows["decided_by"].drop_nulls()
    example = f"most often {details.mode().sort()[0]}" if len(details) else ""
    decided = _fields(here, recipe, policies, fields) if len(fields) else []
    return "; ".join(filter(None, [example, *decided])) or "no figure is stored"


def _fields(here: Project, recipe: str, policies: Recipe, fields: pl.Series) -> Iterator[str]:
    """The fields of the recipe that dropped the most rows, with value and file."""
    now = policies.model_dump()
    named = str(fields.mode().sort()[0]).split(", ")
    for line in lines(named, now, now, here.data / "recipes", recipe):
        yield f"by {line.field}: {line.value} ({line.where})"


def _malformed(policies: Recipe, origin: str) -> str:
    templates = f"verification.templates: {', '.join(policies.verification.templates)}"
    if origin == "published":
        return f"the published responses have no think part and answer part ({templates})"
    if THINK not in _asked(policies.teacher).lower():
        return "the teacher was not asked for think and answer parts: ask for them in teacher.system_prompt"
    return (
        f"the teacher was asked for think and answer parts and did not write them ({templates}): show it some in"
        " teacher.examples"
    )


def _asked(teacher: TeacherPolicy) -> str:
    """All that a request to the teacher says beside the question."""
    examples = (str(one.model_dump()) for one in teacher.examples)
    return " ".join([teacher.system_prompt, teacher.math_suffix, teacher.code_suffix, *examples])
