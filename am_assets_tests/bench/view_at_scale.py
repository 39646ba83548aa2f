"""How long the pages of `am view` take at 1.4 million questions: the first page, a facet, a sort, searches, one row.

    python -m am_assets_tests.bench.view_at_scale [--rows 1400000] [--shards 28] [--folder DIR]

The tables are written as they would have been measured, with the schemas of the graph. The server is a process of its
own. Of each page: seconds by the clock until its first row and until its end, and the processor time that the server
took for it; then the first page once more in Chromium. A project in DIR that is already there is used as it stands.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import polars as pl
import psutil

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES
from am_assets.orchestration.schemas import TABLES
from am_assets_tests.bench.selection_at_scale import RECIPE, write
from am_assets_tests.bench.verified_at_scale import ids, store
from am_assets_tests.services import environment, until
from am_assets_tests.ui.browser import browsing

WORDS = ["apple", "train", "orbit", "ratio", "river", "theorem", "vector", "garden", "prime", "sum", "circle", "bottle"]
SENTENCES = 5_000
RARE = "kookaburra"  # in one question of a hundred thousand, and in the answers to these
PORT = 3971
PAGES = {
    "the first page": "/",
    "a facet": "/?category=math",
    "two facets": "/?category=coding&reason=wrong_answer",
    "a sort": "/?sort=-reward",
    "a search in questions": f"/?find={RARE}",
    "a search in questions, by a word that nearly all have": "/?find=theorem",
    "a search in answers, by a common word": "/?find=theorem&within=answers",
    "a search in answers, by a rare word": f"/?find={RARE}&within=answers",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_400_000)
    parser.add_argument("--shards", type=int, default=28)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="view-"))
    if not (folder / "recipes").exists():
        write_project(folder, asked.rows, asked.shards)
    stored = sum(path.stat().st_size for path in (folder / "assets").rglob("*.parquet"))
    print(f"{asked.rows:,} questions, {stored / 1e9:.2f} GB of tables, load {os.getloadavg()[0]:.1f}", flush=True)
    measure(folder)


def write_project(folder: Path, rows: int, shards: int) -> None:
    for name in ("recipes", "pool", "instance"):
        (folder / name).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    names = [f"source-{block:02d}" for block in range(shards)]
    write(folder / "sources.yaml", {n: {"location": f"pool/{n}.jsonl", "adapter": "jsonl", "rank": 0} for n in names})
    for name in ("benchmarks.yaml", "endpoints.yaml"):
        write(folder / name, {})
    models = {"labels": {"model": "openai/stored-labels"}, "reward": {"model": "openai/stored-judge"}}
    write(folder / "instruments.yaml", models)
    write(folder / "recipes" / "scale.yaml", RECIPE | {"sampling": {}})
    decided: dict[str, list[pl.DataFrame]] = {"deduped_set": [], "selected_questions": [], "verified_set": []}
    for block, name in enumerate(names):
        for asset, table in tables(rows // shards, name, np.random.default_rng([17, block])).items():
            if asset in decided:
                decided[asset].append(table)
            else:
                store(folder, asset, name, table)
    for asset, parts in decided.items():
        store(folder, asset, "scale", pl.concat(parts))


def tables(rows: int, name: str, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """What is stored of one shard: in a hundred questions five are duplicates, ten are not selected, the others have
    one response each, of which three in ten are dropped."""
    sentences = pl.Series([" ".join(random.choice(WORDS, 12)) for _ in range(SENTENCES)])

    def prose(count: int) -> pl.Series:
        parts = [sentences.gather(random.integers(0, SENTENCES, rows)).alias(f"{at}") for at in range(count)]
        return pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=". ")).to_series()

    fate = random.choice(["near_duplicate", "downsampled", "kept"], size=rows, p=[0.05, 0.1, 0.85])
    base = pl.DataFrame(
        {
            "question_id": ids(rows, random),
            "response_id": ids(rows, random),
            "other_id": ids(rows, random),
            "question": prose(3),
            "think": prose(10),
            "answer": prose(4),
            "fate": fate,
            "number": random.integers(0, 100_000, rows),
            "category": random.choice(CATEGORIES, rows),
            "difficulty": random.choice(DIFFICULTIES, rows),
            "license": random.choice(["apache-2.0", "mit", "cc-by-4.0"], rows),
            "verdict": random.choice(["pass", "fail", "unverifiable"], size=rows, p=[0.7, 0.2, 0.1]),
            "reward": random.integers(0, 13, rows) / 12,
        }
    ).with_columns(source=pl.lit(name), shard=pl.lit(name))
    rare = pl.when(pl.col("number") == 7).then(pl.lit(f" {RARE}")).otherwise(pl.lit(""))
    base = base.with_columns(pl.col("question", "answer") + rare).sort("question_id")
    nothing = pl.lit(None)
    fate_is, why = pl.col("fate"), pl.when(pl.col("verdict") == "fail").then(pl.lit("wrong_answer"))
    dropped = why.when(pl.col("verdict") == "unverifiable").then(pl.lit("unverifiable"))
    texts = {part: pl.col(part).str.len_chars() for part in ("question", "think", "answer")}
    answered = base.filter(fate="kept").with_columns(
        teacher=pl.lit("openai/stored-teacher"),
        response=pl.format("<think>{}</think> <answer>{}</answer>", "think", "answer"),
    )
    teller = {"reason": pl.lit("equal"), "extracted": pl.lit("4"), "reference": pl.lit("4")}
    judge = {"judge": nothing, "judged_equal": nothing, "judge_raw": nothing}
    by_response = answered.sort("response_id")
    return {
        "raw_pool": base.select(
            *["question_id", "source", "question", "license"], reference_answer=pl.lit("4"), test_cases=nothing,
            constraints=nothing, published=pl.lit([], TABLES["raw_pool"].create_empty().schema["published"]),
            copies=1, extra=nothing, defect=nothing,
        ),
        "question_features": base.select(
            "question_id", "license", chars=texts["question"], words=36, ascii_share=1.0, language=pl.lit("en"),
            complete=True, has_url=False, has_image=False, has_table=False, has_check=True,
            verifiers=pl.lit(["math"], pl.List(pl.String)), published=0,
        ),
        "question_labels": base.select(
            *["question_id", "category", "difficulty"], label_model=pl.lit("m"), label_raw=pl.lit("{}"),
        ),
        "similar_pairs": base.filter(fate="near_duplicate").select("question_id", "other_id", cosine=0.95),
        "deduped_set": base.select(
            *["question_id", "shard", "source"], copies=1, kept=fate_is != "near_duplicate",
            drop_reason=pl.when(fate="near_duplicate").then("fate"), detail=nothing, decided_by=nothing,
            representative=pl.when(fate="near_duplicate").then("other_id"),
            cosine=pl.when(fate="near_duplicate").then(0.95),
        ),
        "selected_questions": base.filter(fate_is != "near_duplicate").select(
            *["question_id", "shard", "source", "category", "difficulty"], kept=pl.col("fate") == "kept",
            drop_reason=pl.when(fate="downsampled").then("fate"), detail=nothing, decided_by=nothing,
            teacher=pl.lit("openai/stored-teacher"), samples=1,
        ),
        "responses": by_response.select(
            *["response_id", "question_id", "teacher", "response"], request_key="response_id", sample_index=0,
            origin=pl.lit("distilled"), finish_reason=pl.lit("stop"), prompt_tokens=100, completion_tokens=200,
            cost=0.001,
        ),
        "response_features": by_response.select(
            *["response_id", "question_id", "think", "answer"], template=pl.lit("paper"), well_formed=True,
            truncated=False, think_chars=texts["think"], answer_chars=texts["answer"], repetition=0.1,
            consecutive=0.0, prompt_share=0.0, think_language=pl.lit("en"), answer_language=pl.lit("en"),
        ),
        "math_verdicts": by_response.select("response_id", "question_id", "verdict", **teller, **judge),
        "response_screens": by_response.select(
            "response_id", "question_id", screens=pl.lit([], pl.List(pl.String)),
            findings=pl.lit([], TABLES["response_screens"].create_empty().schema["findings"]),
        ),
        "verified_set": by_response.select(
            *["response_id", "question_id", "shard", "source", "category", "difficulty", "teacher", "verdict"],
            *["reward"], origin=pl.lit("distilled"), evidence=pl.lit("math"), second_verdict=nothing,
            passed=pl.col("verdict") == "pass", pass_rate=1.0, reference_doubtful=False, repaired_reference=nothing,
            repetitive=False, screens=pl.lit([], pl.List(pl.String)), kept=pl.col("verdict") == "pass",
            drop_reason=dropped, detail=nothing, decided_by=nothing,
        ),
    }  # fmt: skip


def measure(folder: Path) -> None:
    url = f"http://127.0.0.1:{PORT}"
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", "view", "-r", "scale", "--port", str(PORT)]
    started = time.monotonic()
    with open(folder / "view.log", "w") as log:
        server = subprocess.Popen(command, env=environment(folder), stdout=log, stderr=log)
    try:
        until(lambda: _listens(url), "the server answers", every=0.02)
        print(f"{'up after its start':45} {time.monotonic() - started:6.2f} s", flush=True)
        process = psutil.Process(server.pid)
        for what, path in PAGES.items():
            before = sum(process.cpu_times()[:2])
            begun = time.monotonic()
            first, last, found = read(url + path, begun)
            took = sum(process.cpu_times()[:2]) - before
            print(f"{what:45} {first:6.2f} s to the first row, {last:6.2f} s in all, {took:6.2f} s of processor time")
        in_browser(url)
        row = found.split(b'href="/row/')[1].split(b'"')[0].decode().replace("&amp;", "&")
        begun = time.monotonic()
        first, last, _ = read(f"{url}/row/{row}", begun)
        print(f"{'one row':45} {last:6.2f} s in all")
        print(f"memory of the server {process.memory_info().rss / 1e9:.2f} GB")
    finally:
        server.terminate()
        server.wait()


def in_browser(url: str) -> None:
    """Seconds from the click to the first row in sight, of a page that the server has read before."""
    with browsing(url, 1400, 1000) as browser:
        for what in ("the first page", "a facet"):
            begun = time.monotonic()
            browser.open(PAGES[what])
            browser.find("tr[data-row]")
            print(f"{what + ', in Chromium':45} {time.monotonic() - begun:6.2f} s to the whole page")


def read(url: str, begun: float) -> tuple[float, float, bytes]:
    """Seconds until the first row of a table, and until the end of the page; its content."""
    page, first = b"", None
    with urlopen(url, timeout=120) as reply:
        while piece := reply.read1(65536):
            page += piece
            if first is None and b"<tr data-row" in page:
                first = time.monotonic() - begun
    last = time.monotonic() - begun
    return first or last, last, page


def _listens(url: str) -> bool:
    try:
        with urlopen(f"{url}/static/view.css", timeout=1):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
