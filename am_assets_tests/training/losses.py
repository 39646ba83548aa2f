"""Trains a job and writes what each step reported, and what the first device held, to the file `$LOSSES`."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from am_assets.training import sft


class Steps(TrainerCallback):
    def __init__(self) -> None:
        self.seen: dict[str, Any] = {"losses": [], "norms": [], "held": {}}

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if "loss" in kwargs["logs"]:
            self.seen["losses"].append(kwargs["logs"]["loss"])
            self.seen["norms"].append(kwargs["logs"]["grad_norm"])

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        parameters = [*kwargs["model"].parameters()]
        optimizer = getattr(kwargs["optimizer"], "optimizer", kwargs["optimizer"])
        states = [value for one in optimizer.state.values() for value in one.values() if torch.is_tensor(value)]
        self.seen["held"] = {
            "parameters": held(parameters),
            "gradients": held([one.grad for one in parameters if one.grad is not None]),
            "optimizer": held(states),
        }


def held(tensors: list[Any]) -> int:
    """Bytes on this device."""
    local = [getattr(one, "_local_tensor", one) for one in tensors]
    return sum(one.numel() * one.element_size() for one in local)


def main() -> None:
    steps = Steps()
    sft.progress_callback = lambda _: steps
    sft.main()
    if os.environ.get("RANK", "0") == "0":
        Path(os.environ["LOSSES"]).write_text(json.dumps(steps.seen))


if __name__ == "__main__":
    main()
