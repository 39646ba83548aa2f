"""Contents of the memo, and removal of unreferenced entries."""

from pathlib import Path

import dagster as dg
import polars as pl

from am_assets.config.files import ConfigError
from am_assets.config.partitions import BETWEEN
from am_assets.planning.plan import Plan
from am_assets.planning.scope import recipe_of
from am_assets.project import Project
from am_assets.storage import segments
from am_assets.storage.copies import of
from am_assets.storage.memo import KEY, Memo

SHOWN = 5  # names in a message


def holdings(memo: Memo, plan: Plan) -> pl.DataFrame:
    """One row per namespace: namespace, measurements, bytes, oldest, newest, dollars, unwanted, interrupted, untold.

    `unwanted` counts the entries that no partition of the present graph referenced when it was last materialized; null
    where references are not recorded. `oldest` and `newest` are null where rows have no date. Of the answers of models,
    `interrupted` counts those that an earlier version stored though they were cut off, which are asked for again, and
    `untold` those stored without the provider's message.
    """
    rows = []
    for namespace in memo.namespaces():
        known = memo.known(namespace)
        assert known is not None
        there = known.collect_schema()
        stored_at = pl.col("stored_at") if "stored_at" in there else pl.lit(None, pl.Datetime("ms", "UTC"))
        figures = known.select(
            measurements=pl.col("key").n_unique(),
            oldest=stored_at.min(),
            newest=stored_at.max(),
            dollars=pl.col("cost").sum() if "cost" in there else pl.lit(None, pl.Float64),
            interrupted=segments.INTERRUPTED.sum() if "finish_reason" in there else pl.lit(0),
        )
        wanted = referenced(memo, plan, namespace)
        unwanted = None
        if wanted is not None:
            unwanted = known.select("key").unique().join(wanted.lazy(), on="key", how="anti").collect().height
        paths = segments.listed(memo.folder / namespace)
        size = sum(path.stat().st_size for path in paths)
        rows.append(
            {
                "namespace": namespace,
                "bytes": size,
                "unwanted": unwanted,
                **figures.collect().row(0, named=True),
                "untold": sum(_untold(path) for path in paths),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def disk(here: Project, plan: Plan, held: pl.DataFrame) -> pl.DataFrame:
    """What the project takes on disk, the largest first: kind (table, memo or tokens), name, files, bytes, and of them
    how many are `removable`, null where that is not known. `held`: the `holdings`.

    Of a table those of partitions that no recipe, source or benchmark has any more, and what a killed writer left; of a
    namespace the share of rows that nobody wants, which `am memo --prune` removes; of tokens all: they are made again.
    """
    shares = {row["namespace"]: (row["unwanted"], row["measurements"]) for row in held.iter_rows(named=True)}
    rows: list[tuple[str, str, int, int, int | None]] = []
    known = {key.to_user_string(): _stored_at(plan, key) for key in plan.graph.get_all_asset_keys()}
    for kind, root in (("table", here.assets), ("memo", here.memo), ("tokens", here.tokens)):
        for folder in sorted(path for path in root.glob("*") if path.is_dir()) if kind != "tokens" else [root]:
            sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
            size, gone = sum(sizes.values()), None
            if kind == "table" and folder.name in known:
                gone = sum(sizes[path] for path in sizes if not _in_use(path.relative_to(folder), known[folder.name]))
            elif kind == "memo" and (share := shares.get(folder.name)) and share[0] is not None:
                gone = size * share[0] // max(1, share[1])
            elif kind == "tokens":
                gone = size
            if sizes:
                rows.append((kind, folder.name, len(sizes), size, gone))
    schema = {"kind": pl.String, "name": pl.String, "files": pl.Int64, "bytes": pl.Int64, "removable": pl.Int64}
    return pl.DataFrame(rows, schema, orient="row").sort("bytes", "kind", "name", descending=[True, False, False])


def _stored_at(plan: Plan, key: dg.AssetKey) -> set[str]:
    """Where the partitions of an asset lie, variants of experiments included: `shard`, `recipe`, `benchmark/recipe`."""
    return {partition.replace("|", "/") for partition in plan.staleness.partitions(key)}


def _in_use(path: Path, partitions: set[str]) -> bool:
    """Whether a file within the folder of a table is of a partition that exists, or lies in the folder of one."""
    return any(one.as_posix() in partitions for one in (path.with_suffix(""), *path.parents))


def _untold(segment: Path) -> int:
    """The answers in a segment without the provider's message. That is as long as the text: it is read only where the
    file says that some are null."""
    table, nulls = pl.scan_parquet(segment, glob=False), segments.nulls(segment)
    if "requested_model" not in nulls or nulls.get("message") == 0:
        return 0
    message = pl.col("message").is_null() if "message" in nulls else pl.lit(True)
    return int(table.select((pl.col("requested_model").is_not_null() & message).sum()).collect().item())


def prune(memo: Memo, plan: Plan) -> dict[str, int]:
    """Remove unreferenced entries; the number removed by namespace.

    `ConfigError` where references are not known: a partition is stale, or was materialized before they were recorded.
    """
    unsure = [f"{step.asset}[{step.partition}]" for step in plan.steps()] or _without_references(memo, plan)
    if unsure:
        raise ConfigError(
            f"nothing was pruned: what {', '.join(unsure[:SHOWN])}{' and others' if unsure[SHOWN:] else ''} want is not"
            " known until they are made again; run `am apply --all` first (what is in the memo costs nothing)"
        )
    gone = {}
    for namespace in memo.namespaces():
        wanted = referenced(memo, plan, namespace)
        if wanted is not None:
            gone[namespace] = segments.keep_only(memo.folder / namespace, wanted)
    return gone


def _users(plan: Plan) -> set[str]:
    """The partitions of the present graph whose assets read the memo, as `asset.partition`."""
    return {f"{key.to_user_string()}.{partition}" for key in _using(plan) for partition in plan.partitions(key)}


def _of_variants(plan: Plan) -> set[str]:
    """Those of experiments, which the plan of a project leaves out: what one referenced stays as long as its file."""
    return {
        f"{key.to_user_string()}.{partition}"
        for key in _using(plan)
        for partition in plan.staleness.partitions(key)
        if BETWEEN in (recipe_of(key.to_user_string(), partition) or "")
    }


def _using(plan: Plan) -> set[dg.AssetKey]:
    assets = [asset for asset in plan.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
    using = {key for asset in assets if "answers" in asset.required_resource_keys for key in asset.keys}
    return using & {*plan.keys}


def _without_references(memo: Memo, plan: Plan) -> list[str]:
    noted = {path.stem for namespace in of(memo.folder).folders(memo.folder) for path in _noted(memo, namespace)}
    using = {_asset(user) for user in noted}  # one of which no partition noted any uses none
    return sorted(user for user in _users(plan) - noted if _asset(user) in using)


def _noted(memo: Memo, namespace: str) -> list[Path]:
    return of(memo.folder).paths(memo.folder / namespace / "wanted", ".parquet")


def _asset(user: str) -> str:
    return user.partition(".")[0]


def referenced(memo: Memo, plan: Plan, namespace: str) -> pl.DataFrame | None:
    """The keys that the plan's partitions reference; None where that is not recorded, or where assets outside the plan
    reference some."""
    notes = _noted(memo, namespace)
    outside = {key.to_user_string() for key in {*plan.graph.get_all_asset_keys()} - {*plan.keys}}
    if not notes or any(_asset(path.stem) in outside for path in notes):
        return None
    users = _users(plan) | _of_variants(plan)
    return pl.concat([pl.DataFrame(schema=KEY), *(pl.read_parquet(path) for path in notes if path.stem in users)])
