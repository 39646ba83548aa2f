"""`am train --dry-run`: what a training would take of each preset's devices, how it would be started, and how long it
would run. Nothing is downloaded, no device is needed, and no weights."""

import json
import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError
from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.project import Project
from am_assets.storage.stored import StoredTables
from am_assets.training import launch, memory
from am_assets.training.shapes import UnknownShapeError, shape_of

CHARS = 4  # a token, in English text
GB = 1e9


@dataclass(frozen=True)
class Fit:
    """Whether a preset can train a recipe, and why not."""

    preset: str
    why_not: list[str]
    device_gb: dict[str, float] = field(default_factory=dict)  # by part, on the device that holds the most
    host_gb: dict[str, float] = field(default_factory=dict)  # by part, of each machine

    @property
    def fits(self) -> bool:
        return not self.why_not


@dataclass(frozen=True)
class DryRun:
    """The presets in the order of the file, and the one that was named, or else the first that fits."""

    recipe: str
    student: str
    parameters: int
    trained: int
    fits: list[Fit]
    chosen: str | None
    command: str | None
    accelerate: dict[str, Any] | None
    device_batch: int  # sequences that a device computes at once
    tokens_a_step: int  # at most: each sequence as long as max_length
    tokens: int | None  # of all epochs, if the dataset is there
    hours: float | None  # for them
    hours_a_billion: float | None  # for 1e9 tokens
    basis: list[str]  # what the figures rest on

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def dry_run(here: Project, recipe: str, named: str | None = None) -> DryRun:
    """`ConfigError` where the student's shape is unknown or no preset has that name."""
    policy = here.recipe(recipe).training
    if named and named not in here.hardware:
        raise ConfigError(
            f"{here.data / 'hardware.yaml'}: no preset {named}{alike(named, here.hardware)}: it has"
            f" {', '.join(here.hardware)}"
        )
    try:
        shape = shape_of(policy.student)
    except UnknownShapeError as error:
        raise ConfigError(f"{here.where(recipe)}: training.student: {error}") from None
    model = memory.on_meta(shape, policy)
    fits = [fit(name, preset, policy, shape, model) for name, preset in here.hardware.items()]
    chosen = named or next((one.preset for one in fits if one.fits), None)
    preset = here.hardware[chosen] if chosen else None
    tokens = tokens_to_train(here, recipe, policy)
    a_billion = hours(1e9, model, shape, policy, preset) if preset else None
    every = [*model.parameters()]
    return DryRun(
        recipe=recipe,
        student=policy.student,
        parameters=sum(one.numel() for one in every),
        trained=sum(one.numel() for one in every if one.requires_grad),
        fits=fits,
        chosen=chosen,
        command=started(preset) if preset else None,
        accelerate=launch.accelerate_config(policy, preset) if preset and launch.is_launched(preset) else None,
        device_batch=memory.device_batch(policy, preset) if preset else 0,
        tokens_a_step=policy.batch_size * policy.max_length,
        tokens=tokens,
        hours=a_billion * tokens / 1e9 if a_billion and tokens else None,
        hours_a_billion=a_billion,
        basis=_basis(preset, policy, tokens),
    )


def fit(name: str, preset: Preset, policy: TrainingPolicy, shape: Any, model: Any) -> Fit:
    """Whether a preset can train a policy. Activations are not reckoned where what stays is too much already."""
    if wrong := [*launch.contradictions(policy, preset)]:
        return Fit(name, wrong)
    room, host_room = memory_gb(preset), preset.host_memory_gb or psutil.virtual_memory().total / GB
    if room is None:
        return Fit(name, ["memory_gb of its devices is not named, and there is none here to ask"])
    held = memory.held(model, policy, preset)
    reckoned = memory.reckon(model, shape, policy, preset) if sum(held.device.values()) / GB <= room else held
    device = {part: size / GB for part, size in reckoned.device.items()}
    host = {part: size / GB for part, size in reckoned.host.items()}
    why = []
    if sum(device.values()) > room:
        alone = " for parameters, gradients and optimizer alone" if reckoned is held else ""
        why.append(f"{sum(device.values()):,.1f} GB a device{alone}, which has {room:,.1f}")
    if sum(host.values()) > host_room:
        why.append(f"{sum(host.values()):,.1f} GB of each machine's memory, which has {host_room:,.1f}")
    return Fit(name, why, device, host)


def memory_gb(preset: Preset) -> float | None:
    """Of a device: as named, or as the device here says; None where there is none."""
    if preset.memory_gb:
        return preset.memory_gb
    if preset.device == "cpu":
        return psutil.virtual_memory().total / GB / preset.devices
    import torch

    return torch.cuda.get_device_properties(0).total_memory / GB if torch.cuda.is_available() else None


def hours(tokens: float, model: Any, shape: Any, policy: TrainingPolicy, preset: Preset) -> float:
    """For so many tokens at the assumed utilization of the devices. Counted are 6 operations a parameter and token (4
    where adapters alone are trained), and attention over half of `max_length`, as long rows have it; not what
    checkpointing computes twice."""
    embedding = 0 if shape.tie_word_embeddings else model.get_input_embeddings().weight.numel()
    passes = 4 if policy.lora else 6
    size = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
    heads = shape.num_attention_heads * size
    attention = passes * shape.num_hidden_layers * heads * policy.max_length
    operations = passes * (sum(one.numel() for one in model.parameters()) - embedding) + attention
    return tokens * operations / (preset.processes * preset.peak_tflops * 1e12 * preset.utilization) / 3600


def started(preset: Preset) -> str:
    """The command line, with names in the place of what an apply writes beforehand."""
    program = ["-m", "am_assets.training.sft", json.dumps({"rows": "...", "student": "...", "output": "...",
               "policy": "...", "hardware": "..."})]  # fmt: skip
    return shlex.join(launch.arguments(program, preset, Path()))


def tokens_to_train(here: Project, recipe: str, policy: TrainingPolicy) -> int | None:
    """Of all epochs, about; None where the dataset is not there yet."""
    import polars as pl

    if recipe not in StoredTables(here.assets).partitions("sft_dataset"):
        return None
    texts = pl.col("question_chars", "think_chars", "answer_chars").cast(pl.UInt64).sum()
    table = StoredTables(here.assets).scan("sft_dataset", recipe)
    if "think_chars" not in table.collect_schema():
        return None  # of an earlier version
    chars = table.select(pl.sum_horizontal(texts)).collect().item()
    return int(chars / CHARS * policy.epochs)


def _basis(preset: Preset | None, policy: TrainingPolicy, tokens: int | None) -> list[str]:
    lines = [
        "parameters, gradients and optimizer are counted on meta tensors; activations, loss and layer are those of one"
        " step on fake tensors, as on a CPU, with every sequence as long as max_length",
        f"buffers are estimated; {memory.SLACK:.0%} of the rest and {memory.CONTEXT / GB:g} GB for CUDA are assumed",
    ]
    if preset:
        lines.append(
            f"hours at {preset.utilization:.0%} of {preset.peak_tflops:g} TFLOP/s a device: assumed, not measured"
        )
    if tokens is not None:
        lines.append(f"tokens of the stored sft_dataset at {CHARS} characters each")
    if preset and preset.offload:
        lines.append("with offload the optimizer runs on the machine's processor, which the hours leave out")
    return lines
