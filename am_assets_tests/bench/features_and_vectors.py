"""Questions a second: features of question text, and vectors by the bundled models, stored and read back.

    python -m am_assets_tests.bench.features_and_vectors [--questions 30000] [--vectors 100000] [--minilm 300]
        [--data FOLDER]

FOLDER may hold gsm8k_train.jsonl and math_train.json; without it questions are made up of common words. The language
is measured beside a plain loop over py3langid in the same run, on the same texts. Times are the best of `--rounds`;
beside them stands the processor time, which a busy machine changes less.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from am_assets.engines.models import embedder, language
from am_assets.pool.features import question_features
from am_assets.selection import overlap, words
from am_assets.selection.ngrams import ItemGrams
from am_assets.storage.memo import Memo, with_keys
from am_assets.storage.schemas import RawPool
from am_assets.verification.verifiers import applicable

WORDS = (
    "a the of and in to is how many find value if each has more than with for number sum total apples price hours"
    " train speed area triangle circle length integer positive minutes bought sold remaining left twice half cost"
)
LOOP = 3_000  # texts for the slow way
ITEMS = 1_128  # of four benchmarks like the paper's together


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=30_000)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--minilm", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    texts = real(asked.data) if asked.data else made_up(20_000)
    pool = pool_of(texts, asked.questions)
    question = pool["question"]
    print(f"{pool.height:,} questions of {question.str.len_chars().mean():.0f} characters")

    language.languages(question.head(10))
    at_once = rate("language", len(question), partial(language.languages, question), asked.rounds)
    few = question.head(LOOP)
    loop = rate("language, py3langid in a loop", len(few), partial(one_by_one, few), asked.rounds)
    print(f"{at_once / loop:12.1f} times the loop; {(language.languages(few) == one_by_one(few)).mean():.4%} agree")
    rate("all features", pool.height, partial(question_features, pool), asked.rounds)
    grams = ItemGrams(words.read(question.head(ITEMS)).plain, n=13)
    rate(f"the same and 13-grams of {ITEMS:,} items", pool.height, partial(with_grams, pool, grams), asked.rounds)

    rate("static vectors", len(question), partial(embedder.embed, question.to_list(), "static"), asked.rounds)
    few_texts = question.head(asked.minilm).to_list()
    embedder.embed(few_texts[:1], "minilm")
    rate("minilm vectors", len(few_texts), partial(embedder.embed, few_texts, "minilm"), asked.rounds)

    wanted = pool_of(texts, asked.vectors)
    with tempfile.TemporaryDirectory() as folder:
        memo = Memo(Path(folder))
        rate("static vectors, keyed, stored, read and joined", wanted.height, partial(through_memo, memo, wanted))
        rate("the same, all known", wanted.height, partial(through_memo, memo, wanted))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12,.0f} MB at the peak of this process")


def rate(what: str, rows: int, run: Callable[[], Any], rounds: int = 1) -> float:
    """Rows a second of the best round, printed beside seconds and processor seconds."""
    seconds = []
    for _ in range(rounds):
        wall, work = time.perf_counter(), time.process_time()
        run()
        seconds.append((time.perf_counter() - wall, time.process_time() - work))
    best, worked = min(seconds)
    print(f"{rows / best:12,.0f} a second  {best:7.2f} s, {worked:6.2f} s of processor  {what}", flush=True)
    return rows / best


def one_by_one(texts: pl.Series) -> pl.Series:
    identifier = language._identifier()
    heads = texts.str.slice(0, language.HEAD_CHARS)
    lettered = heads.str.contains(r"\p{L}")
    return pl.Series(
        [identifier.classify(head)[0] if ok else "und" for head, ok in zip(heads, lettered, strict=True)],
        dtype=pl.String,
    )


def through_memo(memo: Memo, wanted: pl.DataFrame) -> pl.DataFrame:
    """What `Answers.vectors` does, outside a run."""
    keyed = with_keys(wanted, "question", identity="static")
    memo.note_wanted("embeddings", "bench", keyed)
    return memo.fill(
        "embeddings",
        keyed,
        lambda missing: embedder.embed_batches(missing.select("key", text="question"), "static"),
        embedder.VECTOR,
    ).table


def pool_of(texts: list[str], rows: int) -> pl.DataFrame:
    """`rows` distinct questions: the texts again and again, each time with another ending."""
    rounds = [f" ({number})" if number else "" for number in range(-(-rows // len(texts)))]
    questions = [text + ending for ending in rounds for text in texts][:rows]
    pool = pl.DataFrame({"question_id": [f"q{number}" for number in range(rows)], "question": questions})
    no_responses = pl.lit([], RawPool.create_empty().schema["published"])
    return pool.with_columns(published=no_responses).match_to_schema(
        RawPool.create_empty().schema, missing_columns="insert"
    )


def with_grams(pool: pl.DataFrame, grams: ItemGrams) -> None:
    """All features, and the n-grams that each question shares with the items of a benchmark."""
    question_features(pool, applicable())
    for part in pool.iter_slices(overlap.SLICE):
        grams.shared(words.read(part["question"]).plain).largest()


def real(folder: Path) -> list[str]:
    gsm8k = [json.loads(line)["question"] for line in (folder / "gsm8k_train.jsonl").read_text("utf-8").splitlines()]
    return gsm8k + [item["problem"] for item in json.loads((folder / "math_train.json").read_text("utf-8"))]


def made_up(rows: int, words: int = 35) -> list[str]:
    drawn = np.random.default_rng(0).choice(WORDS.split(), size=(rows, words))
    return [" ".join(line).capitalize() + "?" for line in drawn]


if __name__ == "__main__":
    main()
