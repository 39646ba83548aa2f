"""A whole dataset as tokens: streamed, on all cores, once per content.

The tokens of all rows are an Arrow file that is mapped into memory, so that neither making nor reading it takes more
memory than a few chunks of rows, however many there are. It is named by a hash of the texts, the tokenizer and the
system prompt, in a folder that keeps the last few. Which tokens a row has is the business of `tokens.py`.

    rows = tokenized(Path("data/assets/sft_dataset/demo"), student, system_prompt="", cache=Path("data/tokens"))
    fitting(rows, 32_768)  # a dataset with columns input_ids and labels, for the trainer
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from am_assets.runtime.digests import file_sha256
from am_assets.runtime.orphans import end_with
from am_assets.storage.atomic import file_aside
from am_assets.training.rows import Content, chunks, content
from am_assets.training.tokens import Row, Template

VERSION = "2"  # raise when the same texts and tokenizer give other tokens
KEPT = 3  # files in the folder
CHUNK = 64  # rows tokenized and written at a time
FEW_CHARS = 8_000_000  # up to here starting processes takes longer than it saves
IGNORED = -100  # the label of a token without loss
TOKENIZER_FILES = ["tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_template*", "vocab*", "*.model",
                   "merges.txt"]  # fmt: skip

_template: Template  # of a worker process


def tokenized(rows: Path, student: Path, system_prompt: str, cache: Path, workers: int | None = None) -> Any:
    """A dataset with `input_ids` and `labels` of all rows of a release, in its order.

    `workers` processes, by default one per core. `TemplateError` for a template that can't be trained with.
    """
    from datasets import Dataset

    held = content(rows)
    key = sha256(f"{VERSION} {held.hash} {_tokenizer_sha256(student)} {system_prompt}".encode()).hexdigest()[:32]
    file = cache / f"{key}.arrow"
    if not file.exists():
        with file_aside(file) as aside:
            again = Content()
            found = again.of(chunks(rows, CHUNK))
            many = held.chars > FEW_CHARS
            _write(found, partial(_load, student, system_prompt), aside, (workers or os.cpu_count() or 1) * many)
            if again.hash != held.hash:
                raise ValueError(f"{rows} was made anew meanwhile: train again")
    file.touch()
    for old in sorted(cache.glob("*.arrow"), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
        old.unlink(missing_ok=True)
    return Dataset.from_file(str(file))


def fitting(dataset: Any, max_length: int) -> Any:
    """The rows of at most `max_length` tokens."""
    import numpy as np

    return dataset.select(np.flatnonzero(lengths(dataset) <= max_length))


def packed(dataset: Any, length: int) -> Any:
    """The rows in sequences of up to `length` tokens; `seq_lengths` says where one ends."""
    from trl import pack_dataset

    return pack_dataset(dataset.select_columns(["input_ids", "labels"]), length, "bfd")


def lengths(dataset: Any) -> Any:
    """The number of tokens of each row, an int array."""
    import numpy as np
    import pyarrow.compute as pc

    arrow = dataset.with_format("arrow")
    parts = [pc.list_value_length(part["input_ids"]).to_numpy() for part in arrow.iter(10_000)]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _load(student: Path, system_prompt: str) -> Template:
    from transformers import AutoTokenizer

    return Template(AutoTokenizer.from_pretrained(student), system_prompt)


def _tokenizer_sha256(student: Path) -> str:
    files = sorted({path for pattern in TOKENIZER_FILES for path in student.glob(pattern) if path.is_file()})
    return sha256("".join(f"{path.name} {file_sha256(path)}\n" for path in files).encode()).hexdigest()


def _write(rows: Iterable[list[Row]], load: Any, file: Path, workers: int) -> None:
    """Write the Arrow stream that `Dataset.from_file` maps, by so many processes, or here by less than two."""
    import pyarrow as pa

    schema = pa.schema({name: pa.list_(pa.int32()) for name in ("input_ids", "labels")})
    parts = _parallel(rows, load, workers) if workers > 1 else _here(rows, load)
    with file.open("wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        for part in parts:
            stream.write_batch(part)


def _here(rows: Iterable[list[Row]], load: Any) -> Iterator[Any]:
    template = load()
    for chunk in rows:
        yield _batch(template.tokenize(chunk))


def _parallel(rows: Iterable[list[Row]], load: Any, workers: int) -> Iterator[Any]:
    context = multiprocessing.get_context("forkserver")  # torch has threads by now, which a fork would not take along
    context.set_forkserver_preload(["transformers"])
    with ProcessPoolExecutor(workers, context, _start, (load, os.getpid())) as pool:
        ahead: deque[Future[Any]] = deque()
        for chunk in rows:
            ahead.append(pool.submit(_tokenize, chunk))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _start(load: Any, run: int) -> None:
    global _template
    end_with(run)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one core a process
    _template = load()


def _tokenize(chunk: list[Row]) -> Any:
    return _batch(_template.tokenize(chunk))


def _batch(rows: list[tuple[list[int], list[int]]]) -> Any:
    """A record batch of `input_ids` and `labels`."""
    import numpy as np
    import pyarrow as pa

    offsets = np.cumsum([0, *(len(prompt) + len(turn) for prompt, turn in rows)], dtype=np.int32)
    parts = chain.from_iterable(rows)
    ids = np.fromiter(chain.from_iterable(parts), np.int32, int(offsets[-1]))
    labels = ids.copy()
    for start, (prompt, _) in zip(offsets, rows, strict=False):
        labels[start : start + len(prompt)] = IGNORED
    columns = [pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)) for values in (ids, labels)]
    return pa.RecordBatch.from_arrays(columns, ["input_ids", "labels"])
