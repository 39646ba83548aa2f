"""Batches of several devices that hold the rows of one device's batches, the last of an epoch included.

accelerate gives all processes equally many batches by repeating rows, which changes the loss of the last step and has
rows trained on twice. Here blank rows without loss stand in for those.
"""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import RandomSampler, Sampler


class Evened(Sampler[int]):
    """The rows in the order of another sampler, then the blank rows behind them."""

    def __init__(self, order: Any, rows: int, blank: int):
        self.order, self.rows, self.blank = order, rows, blank

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self.order, "set_epoch"):
            self.order.set_epoch(epoch)

    def __iter__(self) -> Iterator[int]:
        yield from self.order
        yield from range(self.rows, self.rows + self.blank)

    def __len__(self) -> int:
        return self.rows + self.blank


def even_out(trainer: Any) -> int:
    """Add blank rows to the dataset of a trainer until each device gets equally many batches, and keep the order that
    one device would train in. The number of blank rows: 0 on one device, where nothing changes."""
    from accelerate.data_loader import SeedableRandomSampler
    from datasets import concatenate_datasets

    rows, at_once = trainer.train_dataset, trainer.args.train_batch_size * batches_at_once(trainer)
    blank = -len(rows) % at_once
    if batches_at_once(trainer) == 1:
        return 0
    order = trainer._get_train_sampler(rows)
    if isinstance(order, RandomSampler):  # what accelerate makes of it on one device
        order = SeedableRandomSampler(rows, data_seed=trainer.args.data_seed)
    if blank:
        trainer.train_dataset = concatenate_datasets([rows, _blank_rows(rows, trainer._tokenizer.pad_token_id, blank)])
    trainer._get_train_sampler = lambda *_: Evened(order, len(rows), blank)
    return blank


def batches_at_once(trainer: Any) -> int:
    shared = trainer.get_cp_size() * trainer.get_sp_size() * trainer.get_tp_size()
    return trainer.args.world_size // shared


def _blank_rows(rows: Any, token: int, count: int) -> Any:
    """Rows of one token that carries no loss, in the columns of `rows`."""
    from datasets import Dataset

    values = {"input_ids": token, "labels": -100, "completion_mask": 0, "assistant_masks": 0, "seq_lengths": 1,
              "attention_mask": 1, "position_ids": 0}  # fmt: skip
    blank = {name: [values[name]] for name in rows.column_names}
    return Dataset.from_list([blank] * count, features=rows.features)
