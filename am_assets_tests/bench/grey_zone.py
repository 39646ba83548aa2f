"""What a language model says of the grey zone: of paraphrased items, and of clean controls as near to an item.

    python -m am_assets_tests.bench.grey_zone --data FOLDER --model teacher.gguf [--cache FOLDER] [--pairs 24]

Reads what `planted_contamination.py` made (run that first, with the same --cache). Prints the share that the model
takes for the same problem: in one order, in the other, in both, in either.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.config.instruments import Confirm
from am_assets.engines.llm import ANSWER, ask
from am_assets.selection import confirm
from am_assets.storage.memo import Memo, with_keys
from am_assets_tests.bench.peers_of_decontamination import alike
from am_assets_tests.bench.planted_contamination import (
    NEAR_COPY,
    benchmarks,
    controls,
    measured,
    reworded,
    without_digits,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "am-bench" / "planted")
    parser.add_argument("--paraphrases", type=int, default=75, help="items of each benchmark to reword")
    parser.add_argument("--samples", type=int, default=2, help="tries an item")
    parser.add_argument("--pairs", type=int, default=24, help="of either kind")
    parser.add_argument("--floor", type=float, default=0.7)
    asked = parser.parse_args()
    judge = Confirm(model=f"embedded/{asked.model.stem}", floor=asked.floor)
    items = benchmarks(asked.data)
    pool = pl.concat(
        [reworded(items, asked.paraphrases, asked.samples, asked.model, asked.cache), controls(asked.data)]
    )
    pool = pool.with_row_index("question_id").cast({"question_id": pl.String})
    texts = [without_digits(text) for table in items.values() for text in table["question"]]
    copies = alike([without_digits(text) for text in pool["question"]], texts, NEAR_COPY)
    pool = pool.filter(~pl.Series(np.array(copies)) | pl.col("planted").is_not_null())
    near = measured(pool.select("question_id", "question"), items, "minilm", asked.cache)
    known = pl.concat(table.select("item_id", item="question", benchmark=pl.lit(name)) for name, table in items.items())
    pairs = confirm.grey(near, judge).join(known, on=["benchmark", "item_id"]).join(pool, on="question_id")
    pairs = pairs.sort("cosine", descending=True).unique("question_id", keep="first", maintain_order=True)
    pairs = pairs.with_columns(control=pl.col("planted").is_null()).sort("question_id")
    endpoint, memo = Endpoint(gguf=str(asked.model), context=2048, concurrency=4), Memo(asked.cache)

    def judged(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        return ask(missing, judge.model, [endpoint])

    for (control,), part in pairs.group_by("control", maintain_order=True):
        chosen = part.gather_every(max(part.height // asked.pairs, 1)).head(asked.pairs)
        identity = [judge.model, confirm.VERSION]
        wanted = with_keys(confirm.requests(chosen, judge), "messages", "sampling", identity=identity)
        filled = memo.fill("confirmations", wanted, judged, ANSWER)
        one, other = confirm.opinions(chosen, filled.table).select(*confirm.OPINIONS.values())
        shares = {"one": one, "other": other, "both": one & other, "either": one | other}
        said = ", ".join(f"{order} {opinion.mean():.0%}" for order, opinion in shares.items())
        kind = "clean controls" if control else "paraphrases"
        print(f"{kind}: {part.height:,} in the grey zone, {chosen.height} asked about; the same problem: {said}")


if __name__ == "__main__":
    main()
