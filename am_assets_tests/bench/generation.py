"""Tokens per second of each engine that can answer for a student, on the same prompts.

    python -m am_assets_tests.bench.generation [--prompts 60] [--tokens 24] [--engines static in-process …]

Uniform: every answer may have `--tokens` tokens. Mixed: a tenth may have 8 times as many, each prompt with its own
limit; these are spread over prompts of all lengths. Aligned: the tenth are the longest prompts, so that batches sorted
by the length of prompts happen to have them together. The weights are the embedded student in float32; `llama` serves
the same weights, written as a GGUF in float32. `static` is how students were asked before: `transformers.generate` on
batches of 48. Only tokens that were asked for count. The memo is real: each frame is stored before the next.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.endpoints import Endpoint
from am_assets.engines.models.answering import answers
from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.models.student import GENERATION, in_order, student_folder
from am_assets.engines.serving import release_all
from am_assets.storage.memo import Memo

BATCH = 48
TOPICS = ["rivers", "bread", "the moon", "a bicycle", "glass", "winter", "whales", "clocks"]


LONG = {  # whether prompt n may have 8 times as many tokens
    "uniform": lambda n: False,
    "mixed": lambda n: n % 10 == n // 10 % 10,
    "aligned": lambda n: n % 10 == 4,
}


def prompts(count: int, tokens: int, kind: str) -> pl.DataFrame:
    words = [f"Write a long story about {TOPICS[n % 8]}, number {n}. " + "Be vivid. " * (n % 5) for n in range(count)]
    messages = [json.dumps([{"role": "user", "content": text}]) for text in words]
    limits = [tokens * 8 if LONG[kind](n) else tokens for n in range(count)]
    keys = [f"{kind}-{n}" for n in range(count)]
    return pl.DataFrame({"key": keys, "messages": messages, "seed": range(count), "max_tokens": limits})


def static(folder: Path, asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Batches of prompts of similar length, each as long as its longest answer may be."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ordered = sorted(in_order(asked, tokenizer, None), key=lambda one: (len(one.tokens), one.key))
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        inputs = tokenizer.pad({"input_ids": [one.tokens for one in batch]}, return_tensors="pt")
        most, width = max(one.limit for one in batch), inputs["input_ids"].shape[1]
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=most, do_sample=False, use_cache=True)
        rows = []
        for one, tokens in zip(batch, output[:, width:].tolist(), strict=True):
            kept = tokens[: one.limit]
            kept = kept[: kept.index(tokenizer.eos_token_id)] if tokenizer.eos_token_id in kept else kept
            rows.append((one.key, tokenizer.decode(kept), "length", len(kept), "static"))
        yield pl.DataFrame(rows, schema=GENERATION, orient="row")


def float32_gguf(path: Path) -> Path:
    """The embedded model with its weights dequantized, as the exported student has them."""
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(embedded_gguf())
    writer = gguf.GGUFWriter(path, "llama")
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        element = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, element)
    for tensor in reader.tensors:
        weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, np.ascontiguousarray(weights, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def through_llama(asked: pl.DataFrame, gguf: Path) -> Iterator[pl.DataFrame]:
    """What a server of the GGUF answers, which is no student for `answers`."""
    from am_assets.engines.llm import ask

    sampling = [json.dumps({"temperature": 0, "max_tokens": limit}) for limit in asked["max_tokens"]]
    requests = asked.select("key", "messages", sampling=pl.Series(sampling))
    entry = Endpoint(gguf=str(gguf), context=1024, concurrency=16)
    for rows in ask(requests, "embedded/float32", [entry]):
        yield rows.select(
            "key", "finish_reason", "completion_tokens", response="text", engine=pl.lit("llama")
        ).match_to_schema(GENERATION)


def frames_of(engine: str, folder: Path, gguf: Path, asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if engine == "static":
        return static(folder, asked)
    if engine == "llama":
        return through_llama(asked, gguf)
    serve = {"engine": "transformers", "arguments": {"dtype": "float32"}}
    served = [Endpoint.model_validate({"serve": serve, "context": 512, "concurrency": BATCH})]
    return answers("bench", folder, asked, served if engine == "transformers" else [], temperature=0, top_p=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--engines", nargs="+", default=["static", "in-process", "llama", "transformers"])
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "bench-models")
    chosen = parser.parse_args()
    folder = student_folder(BUNDLED, chosen.models)
    gguf = chosen.models / "float32.gguf"
    if "llama" in chosen.engines and not gguf.exists():
        float32_gguf(gguf)
    print("engine       prompts    tokens/s  first answer  memo")
    for engine in chosen.engines:
        list(frames_of(engine, folder, gguf, prompts(2, 2, "uniform")))  # imports, and servers start
        for kind in LONG:
            asked = prompts(chosen.prompts, chosen.tokens, kind)
            with tempfile.TemporaryDirectory() as memo:
                store, tokens, first, storing = Memo(Path(memo)), 0, 0.0, 0.0
                started = time.monotonic()
                for frame in frames_of(engine, folder, gguf, asked):
                    if not frame.height:
                        continue
                    first = first or time.monotonic() - started
                    before = time.monotonic()
                    store.append("generations", frame)
                    storing += time.monotonic() - before
                    tokens += frame["completion_tokens"].sum()
                took = time.monotonic() - started
            print(f"{engine:12} {kind:8} {tokens / took:9.1f}  {first:10.1f} s  {storing / took:.2%}", flush=True)
        release_all()


if __name__ == "__main__":
    main()
