"""The trainer: trl's, with checkpoints that can be gone on from, an order of rows that a resumed training repeats, and
a memory of which rows a step was made of.

Imports transformers and trl, so only a process that trains imports it. What is trained, and how that is started, is in
`sft.py`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list, gather_object
from transformers import Trainer, TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTTrainer

from am_assets.training.resume import PREFIX, Resumable
from am_assets.training.watching import Watch

REPORT_SECONDS = 15
SAVES = 20
Tokens = tuple[int, ...]


class ResumableTrainer(SFTTrainer):
    """`resumable`: where checkpoints go to, in all processes. `order`: of the rows of an epoch, by its number; None
    for that of transformers."""

    def __init__(self, *args: Any, resumable: Resumable, order: Callable[[int], list[int]] | None, **options: Any):
        self.resumable, self.order = resumable, order
        self.at_step, self.step_inputs = -1, list[dict[str, Any]]()
        super().__init__(*args, **options)

    def resume(self) -> None:
        """Train, from the newest checkpoint on if there is one."""
        if self.padding_free:
            self.refuse_mixing()
        newest = self.resumable.newest()
        self.train(resume_from_checkpoint=str(newest) if newest else None)

    def refuse_mixing(self) -> None:
        """`ValueError` where a row that is packed behind another sees it: by the model's answers to two rows, of which
        the first is another one the second time. Shards of a model (FSDP, DeepSpeed) can't be asked."""
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            return
        model: Any = self.model
        model.eval()
        answers = []
        for first in (3, 5):
            ids = [first] * 8 + [7] * 8
            batch = self.data_collator([{"input_ids": ids, "labels": ids, "seq_lengths": [8, 8]}])
            batch = {name: value for name, value in self._prepare_inputs(batch).items() if name != "labels"}
            with torch.inference_mode(), self.compute_loss_context_manager():
                answers.append(model(**batch, use_cache=False).logits[0, 8:].float())
        model.train()
        if not torch.allclose(answers[0], answers[1], rtol=1e-3, atol=1e-3):
            raise ValueError(
                f"training.packing: in this {model.config.model_type} model, with attention"
                f" {model.config._attn_implementation} on {self.args.device}, rows that are packed together see one"
                " another: set packing to false, and group_by_length to true"
            )

    def rows_of_step(self) -> set[Tokens]:
        """The tokens of the rows of the last step, of all processes."""
        return set(gather_object([row for inputs in self.step_inputs for row in _rows(inputs)]))

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        if self.at_step != self.state.global_step:
            self.at_step, self.step_inputs = self.state.global_step, []
        self.step_inputs.append(dict(inputs))
        return super().training_step(model, inputs, num_items_in_batch)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        main = self.args.should_save
        with self.resumable.written(self.state.global_step) if main else nullcontext():
            Trainer._save_checkpoint(self, model, trial)  # trl's writes a model card as well
            if self.args.world_size > 1:
                self._gather_states(self.resumable.writing / f"{PREFIX}{self.state.global_step}")
            self.accelerator.wait_for_everyone()
        self.accelerator.wait_for_everyone()

    def _gather_states(self, checkpoint: Path) -> None:
        """Have the random states of all processes in the checkpoint: other machines have theirs in a folder there."""
        own = checkpoint / f"rng_state_{self.args.process_index}.pth"
        for name, content in gather_object([(own.name, own.read_bytes())]):
            if self.args.should_save and not (checkpoint / name).exists():
                (checkpoint / name).write_bytes(content)

    def _init_training_state(self, *args: Any, **options: Any) -> Any:
        at = super()._init_training_state(*args, **options)
        seen = [entry["num_tokens"] for entry in self.state.log_history if "num_tokens" in entry]
        self._total_train_tokens = int(seen[-1]) if seen else 0  # trl begins to count anew
        return at

    def _run_epoch(self, **options: Any) -> None:  # type: ignore[override]  # it is called by names
        """With the number of the epoch told to the sampler, however often accelerate wrapped it."""
        sampler = options["train_dataloader"].batch_sampler
        while sampler is not None:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(options["epoch"])
            sampler = getattr(sampler, "batch_sampler", None) or getattr(sampler, "sampler", None)
        super()._run_epoch(**options)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return super()._get_train_sampler(train_dataset) if self.order is None else _Ordered(self.order)


class _Ordered:
    """A sampler whose order depends on nothing but the number of the epoch, so that a resumed one has it again."""

    def __init__(self, order: Callable[[int], list[int]]):
        self.order, self.epoch = order, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(self.order(self.epoch))

    def __len__(self) -> int:
        return len(self.order(self.epoch))


def grouped(lengths: Any, batch: int, seed: int) -> Callable[[int], list[int]]:
    """Orders in which the rows of a batch are of similar length: random groups of 50 batches, sorted within."""

    def order(epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed + epoch)
        return list(get_length_grouped_indices(list(lengths), batch, generator=generator))

    return order


class Saving(TrainerCallback):
    """Has a checkpoint saved after so many seconds or steps, and none after the last step. Where saving is slow, it is
    done less often: it takes at most one part in `SAVES` of the time."""

    def __init__(self, seconds: float, steps: int | None):
        self.seconds, self.steps = seconds, steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.next, self.began = time.monotonic() + self.seconds, 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.began = time.monotonic()
        due = [self.began >= self.next]
        due = broadcast_object_list(due) if args.world_size > 1 else due  # clocks differ, and all have to save at once
        due += [bool(self.steps) and state.global_step % (self.steps or 1) == 0]
        control.should_save = any(due) and state.global_step < state.max_steps

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        saved = time.monotonic()
        self.next = saved + max(self.seconds, SAVES * (saved - self.began))


class Watching(TrainerCallback):
    """Has each step seen by `watch`, and reports step, loss, speed and time left: at the first and last step, and at
    most every `REPORT_SECONDS` in between."""

    def __init__(self, watch: Watch, progress: Callable[[str], None]):
        self.watch, self.progress = watch, progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.began, self.reported, self.first, self.tokens = time.monotonic(), 0.0, state.global_step, 0
        for entry in state.log_history:  # of before a kill
            if "loss" in entry:
                self.watch.see(entry["step"], entry["loss"], entry.get("grad_norm"))
                self.tokens = entry["num_tokens"]
        if self.first and state.is_world_process_zero:
            self.progress(f"goes on after step {self.first} of {state.max_steps}")

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs, now, step, steps = kwargs["logs"], time.monotonic(), state.global_step, state.max_steps
        if "loss" not in logs:
            return
        self.watch.see(step, logs["loss"], logs.get("grad_norm"))
        due = now - self.reported >= REPORT_SECONDS or step in (self.first + 1, steps)
        if not state.is_world_process_zero or not due:
            return
        self.reported, spent = now, now - self.began
        speed, left = (logs["num_tokens"] - self.tokens) / spent, spent / (step - self.first) * (steps - step)
        self.progress(f"step {step} of {steps}, loss {logs['loss']:.4f}, {speed:,.0f} tokens/s, {left:,.0f} s left")


def _rows(inputs: dict[str, Any]) -> list[Tokens]:
    """The tokens of each row of a batch, padded or packed."""
    ids = inputs["input_ids"].tolist()
    if "attention_mask" in inputs:
        return [tuple(row[: sum(mask)]) for row, mask in zip(ids, inputs["attention_mask"].tolist(), strict=True)]
    [row], [positions] = ids, inputs["position_ids"].tolist()
    starts = [at for at, position in enumerate(positions) if position == 0]
    return [tuple(row[start:end]) for start, end in zip(starts, [*starts[1:], len(row)], strict=True)]
