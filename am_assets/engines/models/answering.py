"""Answers of a student by whichever engine serves it: in this process, or a server that `endpoints.yaml` declares.

Both give the same kind of rows under the same keys, each answer as it ends, so that the engine may change
in the middle.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.endpoints import STUDENT, Endpoint
from am_assets.engines.llm import ask
from am_assets.engines.models.student import GENERATION, generate, refuse_unusable
from am_assets.engines.serving import Places
from am_assets.storage.shared.database import Database


def answers(
    name: str,
    folder: Path,
    prompts: pl.DataFrame,
    endpoints: Sequence[Endpoint],
    *,
    temperature: float,
    top_p: float,
    max_tokens: int | None = None,
    refused: Callable[[], str | None] = lambda: None,
    database: Database | None = None,
    places: Places | None = None,
) -> Iterator[pl.DataFrame]:
    """Frames of `GENERATION` for `prompts` (see `student.generate`), by the weights in `folder`.

    `name` is the student's in the recipe, `endpoints` are those declared for it; none: in this process. `StudentError`
    where the folder can't be used; `LlmError` where a server leaves prompts unanswered, after the other answers.
    """
    if not endpoints:
        yield from generate(folder, prompts, temperature=temperature, top_p=top_p, max_tokens=max_tokens)
        return
    refuse_unusable(folder)
    requests = _requests(folder, prompts, temperature, top_p, max_tokens)
    served = [endpoint.model_copy(update={"model": str(folder.resolve())}) for endpoint in endpoints]
    engine = served[0].serve.engine if served[0].serve else "elsewhere"
    for rows in ask(requests, f"{STUDENT}/{name}", served, refused=refused, database=database, places=places):
        yield rows.select(
            "key",
            pl.concat_str(_think(pl.col("reasoning")), pl.col("text").fill_null("")).alias("response"),
            "finish_reason",
            "completion_tokens",
            pl.lit(engine).alias("engine"),
        ).match_to_schema(GENERATION)


def _think(reasoning: pl.Expr) -> pl.Expr:
    """What a server told apart as reasoning, as the weights wrote it."""
    return pl.when(reasoning.is_null()).then(pl.lit("")).otherwise(pl.format("<think>{}</think>", reasoning))


def _requests(
    folder: Path, prompts: pl.DataFrame, temperature: float, top_p: float, max_tokens: int | None
) -> pl.DataFrame:
    """The prompts as requests: with what answers in the process follow too, and no engine's defaults."""
    limits = prompts["max_tokens"].to_list() if "max_tokens" in prompts.columns else [max_tokens] * prompts.height
    fixed = {"temperature": temperature, "top_p": top_p, "extra_body": {"top_k": -1} | _penalty(folder)}
    rows = zip(limits, prompts["seed"], strict=True)
    sampling = [json.dumps(fixed | {"max_tokens": limit, "seed": seed}) for limit, seed in rows]
    return prompts.select("key", "messages").with_columns(pl.Series("sampling", sampling, dtype=pl.String))


def _penalty(folder: Path) -> dict[str, Any]:
    """The penalty that the weights' own generation config asks for."""
    path = folder / "generation_config.json"
    config = json.loads(path.read_text()) if path.is_file() else {}
    penalty = config.get("repetition_penalty")
    return {} if penalty in (None, 1, 1.0) else {"repetition_penalty": penalty}
