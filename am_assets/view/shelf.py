"""The stored tables behind the pages: rows of recipes, held until a table is made anew, and recent searches."""

from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import polars as pl

from am_assets.project import Project
from am_assets.storage.copies import of
from am_assets.storage.stored import StoredTables
from am_assets.view import filters, searching, table
from am_assets.view.filters import PAGE, Asked

DECIDED = ("deduped_set", "selected_questions", "verified_set")
WIDTH = 240  # characters shown of a question in lists


class Shelf:
    def __init__(self, here: Project, recipes: list[str]):
        self.here, self.recipes = here, recipes
        self.store = StoredTables(here.assets)
        self.held: dict[str, tuple[object, pl.DataFrame]] = {}
        self.locks = {name: Lock() for name in recipes}
        self.lists, self.hits = searching.Recent(), searching.Recent()

    def rows(self, recipe: str) -> pl.DataFrame:
        """Those of `table.rows`, read again where a set of the recipe was made anew."""
        with self.locks[recipe]:
            stamp = self._stamp(recipe)
            if recipe not in self.held or self.held[recipe][0] != stamp:
                self.held[recipe] = stamp, table.rows(self.store, recipe)
            return self.held[recipe][1]

    def ready(self, recipe: str) -> bool:
        return recipe in self.held and self.held[recipe][0] == self._stamp(recipe)

    def _stamp(self, recipe: str) -> tuple[int | None, ...]:
        paths = [self.store.path(asset, recipe) for asset in DECIDED]
        return tuple(path.stat().st_mtime_ns if path.exists() else None for path in paths)

    def listed(self, asked: Asked) -> pl.DataFrame:
        """All rows that `asked` asks for, in its order; of a search in answers those found so far."""
        key = (asked.query(page=1), self._stamp(asked.recipe))
        if asked.find and asked.within == "answers":
            return filters.matching(self._with_hits(asked, self._hits(asked).so_far), asked.chosen)
        return self.lists.get(
            key, lambda: filters.ordered(filters.matching(self.searched(asked), asked.chosen), asked.sort)
        )

    def searched(self, asked: Asked) -> pl.DataFrame:
        """The rows whose questions have what is searched for, before facets; all without a search in questions."""
        rows = self.rows(asked.recipe)
        if not asked.find or asked.within == "answers":
            return rows
        return rows.join(self._hits(asked).all, on=["question_id", "shard"], how="semi", maintain_order="left")

    def facets(self, asked: Asked) -> dict[str, list[tuple[str, int]]]:
        key = ("facets", asked.query(page=1, sort=""), self._stamp(asked.recipe))
        return self.lists.get(key, lambda: filters.counts(self.searched(asked), asked.chosen))

    def page_of_hits(self, asked: Asked) -> Iterator[pl.DataFrame]:
        """Of a search without an order the rows of the page, as they are found; a row more if there is a next page."""
        skip, left = (asked.page - 1) * PAGE, PAGE + 1
        for hits in self._hits(asked):
            found = filters.matching(self._with_hits(asked, hits), asked.chosen)
            shown = found.slice(skip, left)
            skip, left = max(0, skip - found.height), left - shown.height
            if shown.height:
                yield shown
            if not left:
                return

    def first(self, recipe: str) -> pl.DataFrame:
        return table.first_rows(self.store, recipe, PAGE + 1)

    def excerpts(self, shown: pl.DataFrame) -> dict[str, str]:
        """The beginnings of the questions of a few rows by id."""
        shards = shown["shard"].cast(pl.String).unique().to_list()
        return table.beginnings(self.store, shards, shown["question_id"], WIDTH)

    def report(self, recipe: str) -> Path:
        path = self.here.assets / "recipe_report" / f"{recipe}.html"
        of(path).here(path)
        return path

    def _hits(self, asked: Asked) -> searching.Hits:
        where = searching.PLACES[asked.within]
        stored = tuple(self.store.partitions(where.table))
        return self.hits.get((asked.find, where, stored), lambda: searching.Hits(self.store, asked.find, where))

    def _with_hits(self, asked: Asked, hits: pl.DataFrame) -> pl.DataFrame:
        """The rows of a recipe that are among the hits of a few shards."""
        rows = self.rows(asked.recipe)
        shards = hits["shard"].unique().to_list()
        near = rows.filter(pl.col("shard").cast(pl.String).is_in(shards)) if len(shards) < 4 else rows
        key = searching.PLACES[asked.within].key
        return near.join(hits, on=[key, "shard"], how="semi", maintain_order="left")
