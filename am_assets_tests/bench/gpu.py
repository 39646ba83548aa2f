"""What only a GPU can show, in at most 8 minutes on one: training of a 135M and a 1B-shape model in bfloat16
with packed rows (tokens a second, share of the peak, memory against the dry run's), the trained student asked and its
answers read, and the losses of a training that was killed and started again.

    python -m am_assets_tests.bench.gpu                # on a machine with a GPU
    python -m am_assets_tests.bench.gpu --rehearse     # the same steps on a CPU, with models of a moment

Weights are random and rows are made up: nothing is downloaded. What it prints is what it measured on this machine.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models import student
from am_assets.planning.dry_run import hours
from am_assets.training import launch, memory
from am_assets.training.sft import Job
from am_assets.training.shapes import shape_of
from am_assets_tests.students import write_tiny_student
from am_assets_tests.training.jobs import write_released

PROGRAM = str(Path(__file__).parents[1] / "training" / "losses.py")
REPOSITORY = Path(__file__).parents[2]
WARMING = 3  # steps that are left out of the speed


@dataclass(frozen=True)
class Trial:
    name: str
    shape: dict[str, int]
    length: int  # tokens of a packed sequence
    batch: int
    steps: int


GPU = [
    Trial("135M", {"hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
                   "intermediate_size": 1536, "vocab_size": 49_152}, 8192, 4, 20),
    Trial("1B", {"hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
                 "intermediate_size": 8192, "vocab_size": 128_256}, 8192, 2, 12),
]  # fmt: skip
REHEARSAL = [
    Trial("one", {"hidden_size": 64, "intermediate_size": 128}, 256, 2, 10),
    Trial("other", {"hidden_size": 96, "intermediate_size": 256, "num_hidden_layers": 3}, 256, 2, 10),
]


def a_job(folder: Path, trial: Trial, device: str) -> Job:
    """Rows of a tenth of a sequence, for as many steps as wanted; a token is a byte."""
    folder.mkdir()
    base = write_tiny_student(folder / "base", **trial.shape)
    words = "Add the two numbers, carry what is left. " * (trial.length // 400 + 1)
    count = trial.steps * trial.batch * max(1, trial.length // (len(words) + 130))
    rows = [(f"What is {n} + {n}?", words, f"\\boxed{{{n + n}}}") for n in range(count)]
    write_released(folder / "rows.parquet", pl.DataFrame(rows, ["question", "think", "answer"], orient="row"))
    policy = TrainingPolicy(
        student=trial.name, packing=True, max_length=trial.length, batch_size=trial.batch, learning_rate=1e-4
    )
    # saved often, so that a killed one has where to go on
    hardware = Preset.model_validate({"device": device, "device_batch": 1, "save_steps": 2})
    return Job(rows=folder / "rows.parquet", student=base, output=folder / "out", policy=policy, hardware=hardware)


def train(job: Job, name: str, kill_at: int | None = None) -> dict[str, Any]:
    """What the steps of a training report, which may be killed after so many."""
    steps = job.output.parent / f"{name}.json"
    command = launch.command([PROGRAM, job.model_dump_json()], job.policy, job.hardware, job.output.parent)
    at = {**os.environ, "STEPS": str(steps), "PYTHONPATH": str(REPOSITORY)}
    log = (job.output.parent / f"{name}.log").open("w")
    with subprocess.Popen(command, env=at, stdout=log, stderr=log) as process:
        while process.poll() is None:
            time.sleep(0.05)
            if kill_at and steps.exists() and (text := steps.read_text()) and json.loads(text)["steps"][-1] >= kill_at:
                process.kill()
    if process.returncode and not kill_at:
        raise SystemExit(f"{name}: {Path(log.name).read_text()[-3000:]}")
    return json.loads(steps.read_text())


def measure(trial: Trial, folder: Path, device: str) -> Job:
    job = a_job(folder, trial, device)
    seen = train(job, "whole")
    first = min(WARMING, len(seen["steps"]) - 2)
    tokens = seen["tokens"][-1] - seen["tokens"][first]
    speed = tokens / (seen["seconds"][-1] - seen["seconds"][first])
    shape = shape_of(str(job.student))
    model = memory.on_meta(shape, job.policy)
    peak = job.hardware.model_copy(update={"utilization": 1.0})
    at_peak = 1e9 / hours(1e9, model, shape, job.policy, peak) / 3600
    reckoned = memory.reckon(model, shape, job.policy, job.hardware).device
    allocated = sum(size for part, size in reckoned.items() if part != "slack and CUDA")
    print(f"{trial.name}: {sum(one.numel() for one in model.parameters()):,} parameters, {len(seen['steps'])} steps")
    print(
        f"  {speed:,.0f} tokens/s, {speed / at_peak:.2%} of {peak.peak_tflops:g} TFLOP/s; loss {seen['losses'][-1]:.4f}"
    )
    measured = "no GPU to ask" if seen["peak"] is None else f"{seen['peak'] / 1e9:.2f} GB allocated at the peak"
    print(f"  memory: {allocated / 1e9:.2f} GB reckoned, {measured}")
    print(
        f"  of that held: {seen['held']}, reckoned {vars(memory.state(model.parameters(), job.policy, job.hardware))}"
    )
    return job


def ask(job: Job, prompts: int) -> None:
    """The student of a training answers, and what has the trained form is counted."""
    messages = [json.dumps([{"role": "user", "content": f"What is {n} + {n}?"}]) for n in range(prompts)]
    keys = [str(n) for n in range(prompts)]
    frame = pl.DataFrame({"key": keys, "messages": messages, "seed": [0] * prompts})
    began = time.monotonic()
    answers = pl.concat(student.generate(job.output, frame, temperature=0, top_p=1, max_tokens=64))
    speed = answers["completion_tokens"].sum() / (time.monotonic() - began)
    formed = answers["response"].str.contains("<think>").sum()
    print(f"  asked: {answers.height} answers, {speed:,.0f} tokens/s with loading, {formed} begin to think")


def resumed(job: Job, folder: Path, trial: Trial) -> None:
    """A training that is killed half way and started again has, at each step, the losses of the undisturbed one."""
    whole = json.loads((job.output.parent / "whole.json").read_text())
    again = a_job(folder, trial, job.hardware.device)
    train(again, "killed", kill_at=len(whole["steps"]) // 2 + 1)  # a step after one that was saved
    on = train(again, "on")
    expected = dict(zip(whole["steps"], whole["losses"], strict=True))
    differences = [abs(loss - expected[step]) for step, loss in zip(on["steps"], on["losses"], strict=True)]
    print(f"  killed and started again: from step {on['steps'][0]} on, losses differ by {max(differences):.2e} at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="on a CPU, with models of a moment")
    rehearse = parser.parse_args().rehearse
    import torch

    if not rehearse and not torch.cuda.is_available():
        raise SystemExit("no GPU is here: --rehearse takes the same steps on a CPU")
    device, trials = ("cpu", REHEARSAL) if rehearse else ("gpu", GPU)
    print("rehearsed on a CPU: no figure says anything of a GPU" if rehearse else torch.cuda.get_device_name())
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for trial in trials:
            job = measure(trial, Path(folder, trial.name), device)
            ask(job, 4 if rehearse else 64)
            if trial is trials[0]:
                resumed(job, Path(folder, f"{trial.name}-again"), trial)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
