"""A multi-head reward model (five regression outputs) on this machine. Hides transformers.

Its input is the question and the answer part, in its chat template or, without one, as a pair of texts. The use of the
scores belongs to `verification/reward.py` and to the recipe.

    for scores in score(answers, "some/reward-model", batch_size=8):  # answers: key, question, answer
        memo.append("reward_models", scores)
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import polars as pl

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.runtime import kept
from am_assets.runtime.quoting import quoted

VERSION = "1"  # part of a score's identity: raise it when input or rounding changes
SCORED = pl.Schema({"key": pl.String, **dict.fromkeys(REWARD_DIMENSIONS, pl.Float32)})
STRETCH = 1_024  # rows that are sorted by length at a time
DECIMALS = 3  # padding and batch size change the sixth decimal of a float32


class RewardModelError(RuntimeError):
    """The model can't be loaded or has other outputs; the message says what to name instead."""


def score(answers: pl.DataFrame, name: str, batch_size: int) -> Iterator[pl.DataFrame]:
    """Scores of `answers` (key, question, answer) as frames of `SCORED`, one per batch, in no particular order.

    `name` is a folder or a hub model whose `id2label` names the five dimensions, in any order, such as the regression
    models of HelpSteer2, whose scores range from 0 to 4. Scores are null for texts beyond the model's context.
    `RewardModelError` before anything is scored. `batch_size` and the device are runtime knobs; the weights keep the
    precision in which they are stored.
    """
    labels = _labels(name)
    with kept.use(("reward model", name), lambda: nullcontext(_load(name))) as (tokenizer, model):
        yield from _scored(answers, labels, tokenizer, model, batch_size)


def _scored(
    answers: pl.DataFrame, labels: list[str], tokenizer: Any, model: Any, batch_size: int
) -> Iterator[pl.DataFrame]:
    import torch

    most = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None) or 1 << 62)
    size = batch_size if tokenizer.pad_token_id is not None else 1
    for stretch in answers.iter_slices(STRETCH):
        tokens = [_tokens(tokenizer, *texts) for texts in stretch.select("question", "answer").iter_rows()]
        lengths = [len(row["input_ids"]) for row in tokens]
        order = sorted((at for at in range(len(tokens)) if lengths[at] <= most), key=lambda at: lengths[at])
        if too_long := [key for key, length in zip(stretch["key"], lengths, strict=True) if length > most]:
            yield pl.DataFrame({"key": too_long}).match_to_schema(SCORED, missing_columns="insert")
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            rows = [tokens[at] for at in batch]
            inputs = tokenizer.pad(rows, return_tensors="pt") if size > 1 else _batch_of_one(rows[0])
            with torch.inference_mode():
                heads = model(**inputs.to(model.device)).logits.float().cpu().numpy().round(DECIMALS)
            keyed = pl.DataFrame(heads, labels).insert_column(0, stretch["key"].gather(batch))
            yield keyed.select(SCORED.names())


def _labels(name: str) -> list[str]:
    """The dimension of each output, in order."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(name)
    except Exception as error:  # a wrong name, no network, no access, an unknown architecture: each raises its own type
        raise RewardModelError(
            f"instruments.yaml: reward.model: hf/{name} is neither the folder of a model nor to be had from the hub: "
            f"{quoted(error)}"
        ) from None
    labels = [str(label).lower() for _, label in sorted(config.id2label.items())]
    if sorted(labels) != sorted(REWARD_DIMENSIONS):
        raise RewardModelError(
            f"{name}/config.json: id2label: {', '.join(labels)}; a reward model has a head for each of "
            f"{', '.join(REWARD_DIMENSIONS)}, in any order: name them so, or another model in reward.model of "
            "instruments.yaml"
        )
    return labels


def _load(name: str) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, padding_side="right")
    model, found = AutoModelForSequenceClassification.from_pretrained(
        name, dtype="auto", device_map="auto", output_loading_info=True
    )
    if found["missing_keys"]:
        raise RewardModelError(
            f"{name}: the weights lack {', '.join(sorted(found['missing_keys']))}, which would be random numbers: "
            "name a model in reward.model of instruments.yaml that was trained to score"
        )
    model.config.pad_token_id = tokenizer.pad_token_id  # decoders score the last token before the padding
    return tokenizer, model.eval()


def _tokens(tokenizer: Any, question: str, answer: str) -> Any:
    if tokenizer.chat_template is None:
        return tokenizer(question, answer)
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return tokenizer.apply_chat_template(turns, return_dict=True)


def _batch_of_one(row: Any) -> Any:
    return row.convert_to_tensors("pt", prepend_batch_axis=True)
