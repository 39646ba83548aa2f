"""A reward model with a head for each of five dimensions, on this machine. Hides transformers.

What it reads is the question and the answer part, as its chat template puts them, else as a pair of texts. What the
scores are worth belongs to `verification/reward.py` and to the recipe.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.runtime.quoting import quoted

VERSION = "1"  # part of a score's identity: raise it when what the model reads or what is rounded changes
SCORED = pl.Schema({"key": pl.String, **dict.fromkeys(REWARD_DIMENSIONS, pl.Float32)})
STRETCH = 1_024  # rows that are brought into order by length
DECIMALS = 3  # padding and the batch's size move the sixth of a float32


class RewardModelError(RuntimeError):
    """The model can't be had or is none of this kind; the message says what to name instead."""


def score(answers: pl.DataFrame, name: str, batch_size: int) -> Iterator[pl.DataFrame]:
    """What the heads say of `answers` (key, question, answer) as frames of SCORED, one a batch, in no order.

    `name` is a folder or a model of the hub whose `id2label` names the five dimensions, in any order: that of
    HelpSteer2's regression models, whose heads give each on its scale of 0 to 4. All are null for a text longer than
    the model reads. `RewardModelError` before anything is scored. `batch_size` and the device are runtime knobs; the
    weights are taken in the precision they are stored in, wherever they run.
    """
    import torch

    labels = _labels(name)
    tokenizer, model = _load(name)
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
            inputs = tokenizer.pad(rows, return_tensors="pt") if size > 1 else _alone(rows[0])
            with torch.inference_mode():
                heads = model(**inputs.to(model.device)).logits.float().cpu().numpy().round(DECIMALS)
            keyed = pl.DataFrame(heads, labels).insert_column(0, stretch["key"].gather(batch))
            yield keyed.select(SCORED.names())


def _labels(name: str) -> list[str]:
    """The dimension of each head, in the heads' order."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(name)
    except Exception as error:  # a wrong name, no network, no access and an unknown kind each raise a type of their own
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
    model.config.pad_token_id = tokenizer.pad_token_id  # a decoder's heads read the last token before the padding
    return tokenizer, model.eval()


def _tokens(tokenizer: Any, question: str, answer: str) -> Any:
    if tokenizer.chat_template is None:
        return tokenizer(question, answer)
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return tokenizer.apply_chat_template(turns, return_dict=True)


def _alone(row: Any) -> Any:
    return row.convert_to_tensors("pt", prepend_batch_axis=True)
