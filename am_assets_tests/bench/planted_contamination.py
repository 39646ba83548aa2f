"""Planted contamination: how much of it the default recipe finds, and how much of a clean pool it takes for it.

    python -m am_assets_tests.bench.planted_contamination --data FOLDER [--cache FOLDER] [--model teacher.gguf]

FOLDER holds gsm8k_train.jsonl, gsm8k_test.jsonl, math_train.json and math500.jsonl. The two test sets are the
benchmarks; their items are planted in eight kinds (`plants.py`, `paraphrases.py`; the last only with --model). Controls
are the train sets. Some of those are near-copies of items in truth, so false positives are counted twice: of all
controls, and of those that are clean by a rule of no method here: no item's text is 90 % the same by rapidfuzz once
digits are gone.
"""

import argparse
import json
import random
import re
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.config.instruments import Overlap
from am_assets.config.recipe import Decontamination
from am_assets.engines.models import embedder
from am_assets.selection.decontaminate import contaminated
from am_assets.selection.overlap import Items, benchmark_overlap
from am_assets.storage.memo import Memo, with_keys
from am_assets_tests.bench import paraphrases, peers_of_decontamination, plants

NEAR_COPY = 90
Data = dict[str, pl.DataFrame]  # by benchmark: item_id, question


def questions(path: Path, field: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    return [row[field] for row in rows]


def benchmarks(folder: Path) -> Data:
    read = {
        "gsm8k": questions(folder / "gsm8k_test.jsonl", "question"),
        "math500": questions(folder / "math500.jsonl", "problem"),
    }
    return {
        name: pl.DataFrame({"item_id": [f"{at:04d}" for at in range(len(texts))], "question": texts})
        for name, texts in read.items()
    }


def controls(folder: Path) -> pl.DataFrame:
    parts = {
        "gsm8k train": questions(folder / "gsm8k_train.jsonl", "question"),
        "math train": questions(folder / "math_train.json", "problem"),
    }
    rows = [(part, text, None) for part, texts in parts.items() for text in texts]
    return pl.DataFrame(rows, ["kind", "question", "planted"], orient="row").cast({"planted": pl.String})


def planted(items: Data, most: int) -> pl.DataFrame:
    """kind, question and the item it was made of, as benchmark/item: at most `most` a kind and benchmark."""
    rows = []
    for name, table in items.items():
        for make in plants.KINDS:
            draw = random.Random(f"{name} {make.__name__}")
            made = [(text, f"{name}/{at}") for at, q in table.iter_rows() if (text := make(q, draw)) is not None]
            rows += [(make.__name__, *row) for row in made[:: -(-len(made) // most)]]
    return pl.DataFrame(rows, ["kind", "question", "planted"], orient="row")


def reworded(items: Data, count: int, samples: int, gguf: Path, cache: Path) -> pl.DataFrame:
    rows = []
    for name, table in items.items():
        made = paraphrases.paraphrases(paraphrases.chosen(table, count), samples, gguf, cache)
        faults = made["fault"].drop_nulls().value_counts(sort=True, name="count").rows()
        counted = made["fault"].null_count()
        print(f"{name}: {made.height} items reworded, {counted} count as paraphrases; dropped: {faults}")
        kept = made.filter(pl.col("fault").is_null())
        rows += [("paraphrased", text, f"{name}/{item}") for item, text in kept.select("item_id", "question").rows()]
    return pl.DataFrame(rows, ["kind", "question", "planted"], orient="row")


def vectors(texts: pl.Series, model: str, cache: Path) -> pl.Series:
    wanted = with_keys(texts.to_frame("text"), "text", identity=model)
    memo = Memo(cache)
    found = memo.fill("embeddings", wanted, lambda missing: embedder.embed_batches(missing, model), embedder.VECTOR)
    return found.table["vector"]


def measured(pool: pl.DataFrame, items: Data, model: str, cache: Path) -> pl.DataFrame:
    """BenchmarkOverlap of the pool (question_id, question) with every benchmark, and a column `benchmark`."""
    embedded = pool.select("question_id", vector=vectors(pool["question"], model, cache))
    known = {name: embedder.to_matrix(vectors(table["question"], model, cache)) for name, table in items.items()}
    tables = [
        benchmark_overlap(pool, embedded, Items(table, known[name]), Overlap().floor).with_columns(
            benchmark=pl.lit(name)
        )
        for name, table in items.items()
    ]
    return pl.concat(tables)


def table(pool: pl.DataFrame, found: pl.Series, right: pl.Series | None = None) -> str:
    """Found of each kind, in per cent; controls also by number, all and clean."""
    lines = []
    rows = pool.with_columns(found=found, right=right if right is not None else pl.lit(None, pl.Boolean))
    for (kind,), part in rows.group_by("kind", maintain_order=True):
        hits, line = int(part["found"].sum()), f"{kind:16}{part.height:7,}{part['found'].mean():9.2%}"
        if part["planted"].null_count():
            clean = part.filter("clean")
            line += f"  {hits} of all; of {clean.height:,} clean {clean['found'].sum()} ({clean['found'].mean():.2%})"
        elif right is not None:
            line += f"  the planted item named: {part['right'].sum() / max(hits, 1):.1%}"
        lines.append(line)
    every = rows.filter(pl.col("planted").is_null())
    clean = every.filter("clean")
    total = f"all controls    {every.height:7,}{every['found'].mean():9.2%}  clean ones {clean['found'].mean():.2%}"
    return "\n".join([*lines, total])


def without_digits(text: str) -> str:
    return " ".join(re.sub(r"\d", "", text.lower()).split())


def short(text: str) -> str:
    return " ".join(text.split())[:200]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "am-bench" / "planted")
    parser.add_argument("--model", type=Path, help="a GGUF file that rewords items")
    parser.add_argument("--paraphrases", type=int, default=75, help="items of each benchmark to reword")
    parser.add_argument("--samples", type=int, default=2, help="tries an item")
    parser.add_argument("--most", type=int, default=400, help="plants of a kind and benchmark")
    parser.add_argument("--embedders", nargs="+", default=["minilm", "static"])
    asked = parser.parse_args()
    items = benchmarks(asked.data)
    texts = [text for table in items.values() for text in table["question"]]
    parts = [planted(items, asked.most), controls(asked.data)]
    if asked.model:
        parts.insert(1, reworded(items, asked.paraphrases, asked.samples, asked.model, asked.cache))
    pool = pl.concat(parts).with_row_index("question_id").cast({"question_id": pl.String})
    stripped = [without_digits(text) for text in pool["question"]]
    near = peers_of_decontamination.alike(stripped, [without_digits(text) for text in texts], NEAR_COPY)
    pool = pool.with_columns(clean=~pl.Series(np.array(near)))
    rules = Decontamination(benchmarks=list(items))
    named_texts = {f"{name}/{item}": text for name, table in items.items() for item, text in table.rows()}
    for model in asked.embedders:
        hits = contaminated(measured(pool.select("question_id", "question"), items, model, asked.cache), rules)
        rows = pool.join(hits, on="question_id", how="left", maintain_order="left")
        named = rows.select(pl.col("detail").str.ends_with(pl.concat_str(pl.lit(" "), "planted"))).to_series()
        print(f"\nThe default recipe, {model}\n{table(pool, rows['detail'].is_not_null(), named)}")
        wrong = rows.filter(pl.col("planted").is_null(), pl.col("detail").is_not_null())
        for kind, text, clean, detail in wrong.select("kind", "question", "clean", "detail").iter_rows():
            print(f"  {'clean' if clean else 'near copy'}: {kind}: {detail}\n    {short(text)}")
            print(f"    {short(named_texts[detail.rpartition(' ')[2]])}")
    for name, peer in {"8-gram script": "shares_8_gram", "rapidfuzz ratio at 95": "alike"}.items():
        found = getattr(peers_of_decontamination, peer)(pool["question"].to_list(), texts)
        print(f"\n{name}\n{table(pool, pl.Series(found))}")


if __name__ == "__main__":
    main()
