"""Trains a job and writes what its steps reported, and what the first device held, to the file `$STEPS`. It is killed
after the step `$KILL_AT`, if that is set."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, trainer

from am_assets.training import sft


class Steps(TrainerCallback):
    """Writes after each step, so that what a kill leaves can be read."""

    def __init__(self) -> None:
        self.file = Path(os.environ["STEPS"])
        self.seen: dict[str, Any] = {"steps": [], "losses": [], "norms": [], "tokens": [], "seconds": [], "held": {}}

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        logs = kwargs["logs"]
        if "loss" not in logs or not state.is_world_process_zero:
            return
        values = (state.global_step, logs["loss"], logs["grad_norm"], logs["num_tokens"], time.monotonic())
        for name, value in zip(("steps", "losses", "norms", "tokens", "seconds"), values, strict=True):
            self.seen[name].append(value)
        self.seen["peak"] = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
        self.file.write_text(json.dumps(self.seen))
        if os.environ.get("KILL_AT") == str(state.global_step):
            os.kill(os.getpid(), signal.SIGKILL)

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


if __name__ == "__main__":
    trainer.DEFAULT_CALLBACKS.append(Steps)
    sft.main()
