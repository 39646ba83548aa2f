"""GPUs of this machine: each belongs to one server at a time."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from am_assets.engines.machine import machine_folder
from am_assets.runtime.locks import lock

POLL_SECONDS = 0.5


def gpus() -> list[str]:
    """Of this machine, as CUDA_VISIBLE_DEVICES names them: those that it allows, else all that nvidia-smi lists."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    if not (command := shutil.which("nvidia-smi")):
        return []
    try:
        asked = [command, "--query-gpu=index", "--format=csv,noheader"]
        listed = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.splitlines() if line.strip().isdigit()]


def too_few(wanted: int) -> str | None:
    """Why `wanted` GPUs can't be had, whoever uses them now; None where they can."""
    there = gpus()
    if wanted <= len(there):
        return None
    how = f"this machine has {len(there)}" if there else "this machine shows none (nvidia-smi, CUDA_VISIBLE_DEVICES)"
    are = "1 GPU is" if wanted == 1 else f"{wanted} GPUs are"
    return f"{are} declared, with those of all replicas, and {how}: lower `gpus` or `replicas`"


@contextmanager
def claimed(wanted: int, waiting: Callable[[], None]) -> Iterator[list[str]]:
    """The names of `wanted` GPUs that no other server has, theirs until the block ends. Waits for them, calling
    `waiting`, which may raise."""
    folder = machine_folder() / "gpus"
    folder.mkdir(exist_ok=True)
    while True:
        with ExitStack() as stack:
            mine: list[str] = []
            for name in gpus():
                if len(mine) == wanted:
                    break
                file = stack.enter_context((folder / f"{name.replace('/', '_')}.lock").open("a"))
                if lock(file):
                    mine.append(name)
            if len(mine) == wanted:
                yield mine
                return
        waiting()
        time.sleep(POLL_SECONDS)
