"""Decoding of many prompts by one model in this process: a continuous batch, in which an answer that ends makes room.

    for ended in Decoder(model, Sampling(0.6, 0.95), pad=0, slots=48).answers(prompts):
        [(prompt.key, tokens, finished) for prompt, tokens, finished in ended]

A batch of `transformers.generate` lasts as long as its longest answer, and each of its steps copies the whole cache of
keys and values. Here a slot whose answer ended is given to the next prompt, and the cache has room to grow in place.
All rows of the cache end in the same column: a prompt that joins is written so that it ends where the others are, and
the columns before it are masked.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

REFILL_SHARE = 8  # slots are refilled when one in so many is free: a prefill costs as much as some steps
SHRINK_SHARE = 4  # with nothing left to ask, rows are dropped when one in so many is free: it copies the cache
ROOM = 1.25  # times its columns, that a cache is given when it is full
MORE_ROOM = 64
ATTENDING = {"full_attention", "sliding_attention", "chunked_attention"}  # layers whose cache is rows of tokens
WIDEST = 512  # tokens among which most samples are drawn without sorting the whole vocabulary


@dataclass(frozen=True)
class Prompt:
    key: str
    tokens: list[int]
    limit: int  # tokens of the answer
    seed: int = 0


class Ended(NamedTuple):
    prompt: Prompt
    tokens: list[int]  # without the end token
    finished: bool  # False: cut off by the limit


@dataclass(frozen=True)
class Sampling:
    """`processors` are those of transformers that the model's own generation config asks for."""

    temperature: float
    top_p: float
    processors: Sequence[Any] = ()


@dataclass
class _Row:
    """A slot at work. Its random numbers depend on the prompt alone, not on its neighbours."""

    prompt: Prompt
    answer: list[int] = field(default_factory=list)
    random: Any = None

    def draw(self) -> float:
        if self.random is None:
            self.random = np.random.default_rng(_seed(self.prompt))
        return float(self.random.random())


class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """The keys and values of one layer, with room behind them. `keys` and `values` are views of what is filled."""

    store: list[torch.Tensor]
    columns: int

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True
            self.store, self.columns = [key_states[..., :0, :], value_states[..., :0, :]], 0
        length, whole = self.columns, self.columns + key_states.shape[-2]
        if whole > self.store[0].shape[-2]:
            self.store = [_with_room(store[..., :length, :], more=whole - length) for store in self.store]
        for store, new in zip(self.store, (key_states, value_states), strict=True):
            store[..., length:whole, :] = new
        return self.view(whole)

    def view(self, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        keys, values = (store[..., :columns, :] for store in self.store)
        self.columns, self.keys, self.values = columns, keys, values
        return keys, values

    def keep(self, rows: torch.Tensor, first: int, shift: int = 0) -> None:
        """Only these rows, from column `first` on, after `shift` empty columns."""
        filled = [store[rows, :, first : self.columns] for store in self.store]
        self.store = [_with_room(kept, shift) for kept in filled]
        self.view(self.columns - first + shift)

    def put(self, rows: torch.Tensor, other: "RoomyLayer") -> None:
        """Write the rows of `other` over `rows`, so that they end in the last column."""
        for store, new in zip(self.store, other.store, strict=True):
            store[rows, :, self.columns - other.columns : self.columns] = new[..., : other.columns, :]


def _with_room(kept: torch.Tensor, shift: int = 0, more: int = 0) -> torch.Tensor:
    """A store that begins with `shift` columns of zeros and `kept`, and has room for `more` columns and others."""
    rows, heads, columns, size = kept.shape
    store = kept.new_empty(rows, heads, int((columns + shift + more) * ROOM) + MORE_ROOM, size)
    store[..., :shift, :] = 0  # what is masked must still be a number
    store[..., shift : shift + columns, :] = kept
    return store


def _layers(cache: Cache) -> list[RoomyLayer]:
    return cast(list[RoomyLayer], cache.layers)


def answers_of(
    model: Any, sampling: Sampling, pad: int, slots: int, prompts: Sequence[Prompt]
) -> Iterator[list[Ended]]:
    """The answers of any model, as they end: in one batch where all its layers attend, else one after the other."""
    types = getattr(model.config.get_text_config(), "layer_types", None) or []
    if {*types} <= ATTENDING and not getattr(model, "_is_stateful", False):
        return Decoder(model, sampling, pad, slots).answers(prompts)
    return alone(model, sampling, pad, prompts)


def alone(model: Any, sampling: Sampling, pad: int, prompts: Sequence[Prompt]) -> Iterator[list[Ended]]:
    """The answers of `transformers.generate`, one prompt at a time; states of recurrent layers know no padding."""
    how: dict[str, Any] = {"do_sample": sampling.temperature > 0}
    if sampling.temperature > 0:
        how |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    for prompt in prompts:
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(_seed(prompt) >> 1)
            tokens = torch.tensor([prompt.tokens], device=model.device)
            output = model.generate(tokens, max_new_tokens=prompt.limit, use_cache=True, pad_token_id=pad, **how)
        answer = output[0, len(prompt.tokens) :].tolist()
        finished = bool(answer) and answer[-1] in ends_of(model)
        yield [Ended(prompt, answer[:-1] if finished else answer, finished)]


def ends_of(model: Any) -> set[int]:
    """The end tokens of a model's own generation config."""
    ends = model.generation_config.eos_token_id
    return {*ends} if isinstance(ends, list) else {ends}


def _seed(prompt: Prompt) -> int:
    return int.from_bytes(hashlib.sha256(f"{prompt.key} {prompt.seed}".encode()).digest()[:8], "big")


class Decoder:
    """Answers prompts by `model`, at most `slots` at a time. Ends are the end tokens of its generation config."""

    def __init__(self, model: Any, sampling: Sampling, pad: int, slots: int):
        self.model = model
        self.sampling = sampling
        self.pad = pad
        self.slots = slots
        self.ends = ends_of(model)
        self.rows: list[_Row | None] = []
        self.cache = Cache(layer_class_to_replicate=RoomyLayer)
        self.mask = torch.zeros(0, 0, dtype=torch.long)
        self.last = self.positions = torch.zeros(0, dtype=torch.long)

    @torch.inference_mode()
    def answers(self, prompts: Sequence[Prompt]) -> Iterator[list[Ended]]:
        """The answers that each step ended, none for most; the prompts join in the order given."""
        waiting = list(reversed(prompts))
        while waiting or any(self.rows):
            free = [number for number, row in enumerate(self.rows) if row is None]
            room = len(free) + self.slots - len(self.rows)
            working = len(self.rows) - len(free)
            if waiting and (not working or room >= max(1, self.slots // REFILL_SHARE)):
                self._join([waiting.pop() for _ in range(min(room, len(waiting)))], free)
            else:
                self._step()
            yield self._ended()
            if not waiting:
                self._shrink()

    def _join(self, prompts: list[Prompt], free: list[int]) -> None:
        """Read the prompts, each into a free row or a new one, and choose the first token of each answer."""
        width = max(len(prompt.tokens) for prompt in prompts)
        padded = [[self.pad] * (width - len(prompt.tokens)) + prompt.tokens for prompt in prompts]
        device = self.model.device
        tokens = torch.tensor(padded, device=device)
        mask = torch.tensor([[0] * (width - len(p.tokens)) + [1] * len(p.tokens) for p in prompts], device=device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache, rows = Cache(layer_class_to_replicate=RoomyLayer), [_Row(prompt) for prompt in prompts]
        logits = self._forward(tokens, mask, positions, cache)
        chosen = self._choose(logits, rows)
        if not any(self.rows):
            self.rows, self.cache, self.mask = list(rows), cache, mask
            self.last, self.positions = chosen, positions[:, -1]
            return
        self._widen(width, len(prompts) - len(free))
        into = [*free, *range(len(self.rows) - max(0, len(prompts) - len(free)), len(self.rows))][: len(prompts)]
        index = torch.tensor(into, device=device)
        for mine, new in zip(_layers(self.cache), _layers(cache), strict=True):
            mine.put(index, new)
        self.mask[index] = 0
        self.mask[index, self.mask.shape[1] - width :] = mask
        self.last[index], self.positions[index] = chosen, positions[:, -1]
        for number, row in zip(into, rows, strict=True):
            self.rows[number] = row

    def _widen(self, columns: int, more_rows: int) -> None:
        """Make the cache at least so many columns wide, on its left, and add rows, which are copies until written."""
        shift, more_rows = max(0, columns - self.mask.shape[1]), max(0, more_rows)
        if shift or more_rows:
            self._keep([*range(len(self.rows)), *[0] * more_rows], 0, shift)
            self.rows[len(self.rows) - more_rows :] = [None] * more_rows

    def _keep(self, numbers: list[int], first: int, shift: int = 0) -> None:
        index = torch.tensor(numbers, device=self.mask.device)
        for layer in _layers(self.cache):
            layer.keep(index, first, shift)
        self.mask = torch.nn.functional.pad(self.mask[index, first:], (shift, 0))
        self.last, self.positions = self.last[index], self.positions[index]
        self.rows = [self.rows[number] for number in numbers]

    def _shrink(self) -> None:
        """Drop free rows and the columns that only they used, where it saves more than the copy costs."""
        working = [number for number, row in enumerate(self.rows) if row]
        if working and len(self.rows) - len(working) >= max(1, len(self.rows) // SHRINK_SHARE):
            self._keep(working, int(self.mask[working].argmax(-1).min()))

    def _step(self) -> None:
        """One token more for every row; what is computed for free rows is not looked at."""
        if (unused := int(self.mask.argmax(-1).min())) > self.mask.shape[1] // 2:
            self._keep([*range(len(self.rows))], unused)  # columns of answers that ended long ago
        self.mask = torch.nn.functional.pad(self.mask, (0, 1), value=1)
        self.positions = self.positions + 1
        logits = self._forward(self.last[:, None], self.mask, self.positions[:, None], self.cache)
        self.last = self._choose(logits, self.rows)

    def _forward(self, tokens: Any, mask: Any, positions: Any, cache: Cache) -> torch.Tensor:
        """The logits of each row's next token."""
        output = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()  # type: ignore[no-any-return]

    def _choose(self, logits: torch.Tensor, rows: Sequence[_Row | None]) -> torch.Tensor:
        """The next token of each row, which is added to its answer."""
        if self.sampling.processors:
            for number, row in enumerate(rows):
                if row:
                    ids = torch.tensor([row.prompt.tokens + row.answer], device=logits.device)
                    for processor in self.sampling.processors:
                        logits[number] = processor(ids, logits[number : number + 1])[0]
        if self.sampling.temperature > 0:
            draws = [row.draw() if row else 0.0 for row in rows]
            chosen = sampled(logits, torch.tensor(draws, device=logits.device), self.sampling)
        else:
            chosen = logits.argmax(-1)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if row:
                row.answer.append(token)
        return chosen

    def _ended(self) -> list[Ended]:
        """The answers that the last token ended; their rows are free from now on."""
        ended = []
        for number, row in enumerate(self.rows):
            if row is None:
                continue
            finished = row.answer[-1] in self.ends
            if finished or len(row.answer) >= row.prompt.limit:
                ended.append(Ended(row.prompt, row.answer[:-1] if finished else row.answer, finished))
                self.rows[number] = None
                self.mask[number, :-1] = 0  # so that its columns can be dropped
        return ended


def sampled(logits: torch.Tensor, draws: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """For each row the token at `draws` (0 to 1) of the way through the most probable tokens that make up `top_p`."""
    probabilities = (logits / sampling.temperature).softmax(-1)
    if sampling.top_p >= 1:
        return _at(probabilities, draws)
    width = min(WIDEST, probabilities.shape[-1])
    top, tokens = probabilities.topk(width)
    if bool((top.sum(-1) < sampling.top_p).any()):  # rare: the whole vocabulary has to be sorted
        top, tokens = probabilities.sort(descending=True)
    top = top * (top.cumsum(-1) - top < sampling.top_p)  # the token that passes top_p is the last one in
    return tokens.gather(-1, _at(top, draws)[:, None])[:, 0]


def _at(weights: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """The column at which the running sum of a row first exceeds its draw, as a share of the whole."""
    sums = weights.double().cumsum(-1)
    found = torch.searchsorted(sums, draws[:, None].double() * sums[:, -1:], right=True)[:, 0]
    last = (weights > 0).double().cumsum(-1).argmax(-1)  # of those with any weight
    return torch.minimum(found, last)
