"""What the trained student of one recipe has over that of another, on one benchmark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from am_assets.evaluation.paired import Paired, compare, sentence


@dataclass(frozen=True)
class Difference:
    """What the trained student of recipe `second` has over that of `first`; `items` as in EvalScores, and untouched are
    those that the rows of neither recipe touch."""

    first: str
    second: str
    items: str
    found: Paired

    @property
    def sentence(self) -> str:
        among = "" if self.items == "all" else "of the questions that the rows of neither touch: "
        return f"{among}{sentence(self.found, self.first, self.second)}"


def differences(
    first: str, second: str, scores: Mapping[str, pl.DataFrame], touched: Mapping[str, pl.Series]
) -> Iterator[Difference]:
    """Over all items, and where rows of either touch some and not all, over the others. By recipe: `scores` (item_id,
    score) of its trained student, and the ids of the items that its rows touch."""
    yield Difference(first, second, "all", compare(scores[first], scores[second]))
    either = pl.concat([touched[first], touched[second]])
    left = scores[first].filter(~pl.col("item_id").is_in(either.implode()))
    if len(either) and left.join(scores[second], on="item_id", how="semi").height:
        yield Difference(first, second, "untouched", compare(left, scores[second]))
