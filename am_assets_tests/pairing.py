"""All similar pairs of a shard at once, which an asset searches for shard by shard with the memo between."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from am_assets.engines.models.hnsw import Graphs
from am_assets.selection import neighbors


def pairs_of(shards: Mapping[str, pl.DataFrame], floor: float, folder: Path) -> tuple[pl.DataFrame, neighbors.Audit]:
    """SimilarPairs of the first of `shards` (QuestionEmbeddings by name) with itself and the others, and their audit;
    graphs are kept in `folder`."""
    compared = neighbors.compared((name, table["question_id"]) for name, table in shards.items())
    made = {name: neighbors.Shard.of(name, shards[name], Graphs(folder)) for name in compared}
    own = next(iter(made.values()), None)
    found = [
        pl.DataFrame({"key": [name]} | neighbors.search(own, other, floor), neighbors.SEARCH)
        for name, other in made.items()
        if own
    ]
    searches = pl.concat([pl.DataFrame(schema=neighbors.SEARCH), *found]).with_columns(shard="key")
    return neighbors.similar_pairs(compared, searches)
