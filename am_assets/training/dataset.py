"""The released dataset: its table, its rows in the AM schema, and its files.

Format only: `verified_set` decides which responses are released, and `sft.py` trains on them.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.storage.atomic import written_aside
from am_assets.storage.schemas import SftDataset

VERSION = "1"  # raise when the released format changes


def sft_table(verified: pl.DataFrame, features: pl.DataFrame, pool: pl.DataFrame) -> pl.DataFrame:
    """SftDataset, sorted by response_id: the kept rows of VerifiedSet with the texts of ResponseFeatures and RawPool.

    For a question in several shards, text, reference and tests are those of the response's own source. `ValueError` if
    a kept response has no question, think or answer text.

    >>> sft_table(verified_set, response_features, raw_pool)
    """
    columns = ["source", "question_id", "question", "reference_answer", "test_cases"]
    questions = pool.select(columns).sort(columns).unique(["source", "question_id"], keep="first", maintain_order=True)
    table = (
        verified.filter("kept")
        .join(features.select("response_id", "think", "answer"), on="response_id", how="left")
        .join(questions.rename({"test_cases": "test_case"}), on=["source", "question_id"], how="left")
        .select(SftDataset.column_names())
        .sort("response_id")
    )
    holes = table.filter(pl.any_horizontal(pl.col("question", "think", "answer").is_null()))
    if len(holes):
        raise ValueError(
            f"{len(holes)} kept responses lack their question or their think and answer parts, first "
            f"{holes['response_id'][0]}: materialize raw_pool, response_features and verified_set again"
        )
    return table


def assistant_turn(think: str, answer: str) -> str:
    return f"<think>{think}</think>\n<answer>{answer}</answer>"


def am_record(row: dict[str, Any]) -> dict[str, Any]:
    """A row of SftDataset in the schema of AM-DeepSeek-R1-Distilled: exactly two messages.

    `test_case` is a JSON string or null; the original's card declares a struct, for which it fails to load.
    """
    asked = {key: row[key] for key in ("source", "reference_answer", "test_case")}
    answered = {"source": row["source"], "think_content": row["think"], "answer_content": row["answer"]}
    turn = assistant_turn(row["think"], row["answer"])
    return {
        "messages": [
            {"role": "user", "content": row["question"], "info": asked},
            {"role": "assistant", "content": turn, "info": answered},
        ]
    }


def write_release(table: pl.DataFrame, folder: Path, name: str, system_prompt: str = "") -> None:
    """Writes `data.jsonl` (AM schema), `data.parquet` (the table) and the dataset card `README.md`, atomically."""
    with written_aside(folder) as aside:
        with (aside / "data.jsonl").open("w", encoding="utf-8") as file:
            for row in table.iter_rows(named=True):
                file.write(json.dumps(am_record(row), ensure_ascii=False) + "\n")
        table.write_parquet(aside / "data.parquet")
        (aside / "README.md").write_text(dataset_card(table, name, system_prompt), encoding="utf-8")


# Features are declared because older readers of JSON Lines infer types from the first block of the file, wrongly if its
# rows have no tests.
FRONT_MATTER = """\
---
pretty_name: {name}
task_categories: [text-generation]
configs:
- config_name: default
  data_files: data.jsonl
dataset_info:
  features:
  - name: messages
    list:
    - {{name: role, dtype: string}}
    - {{name: content, dtype: string}}
    - name: info
      struct:
      - {{name: source, dtype: string}}
      - {{name: reference_answer, dtype: string}}
      - {{name: test_case, dtype: string}}
      - {{name: think_content, dtype: string}}
      - {{name: answer_content, dtype: string}}
---
"""

ABOUT = """
# {name}

{rows:,} responses to {questions:,} questions, each a `<think>` and an `<answer>` part, in the form of
AM-DeepSeek-R1-Distilled: `data.jsonl` holds two messages a row, `data.parquet` the same rows as flat columns.

{prompt}
## Licence

To be set by whoever publishes this: the licences of the sources below and the terms of the teachers below apply.
"""


def dataset_card(table: pl.DataFrame, name: str, system_prompt: str) -> str:
    prompt = f"Students are trained under this system prompt:\n\n> {system_prompt}\n" if system_prompt else ""
    about = ABOUT.format(name=name, rows=len(table), questions=table["question_id"].n_unique(), prompt=prompt)
    return (
        FRONT_MATTER.format(name=json.dumps(name))
        + about
        + "".join(counts(table, column) for column in ("source", "category", "difficulty", "teacher"))
    )


def counts(table: pl.DataFrame, column: str) -> str:
    """A Markdown table of the value counts of a column, most frequent first."""
    tally = table.group_by(column).agg(rows=pl.len()).sort("rows", column, descending=[True, False])
    lines = [f"| {value} | {rows:,} | {rows / len(table):.1%} |" for value, rows in tally.iter_rows()]
    return "\n".join(["", f"## By {column}", "", f"| {column} | rows | share |", "|---|---:|---:|", *lines, ""])
