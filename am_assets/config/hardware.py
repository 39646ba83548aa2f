"""How a training is spread over devices: `data/hardware.yaml`, presets by name.

Nothing here is part of what a checkpoint is: the same recipe has the same batches, the same loss and the same steps
under every preset, and its weights differ by rounding alone. What changes them is in the recipe's `training`.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, Section, parse, read_yaml

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
BY_NAME = "AM_HARDWARE"  # the environment variable that names the preset


class Preset(Section):
    """One way to spread a training. A device is a GPU, or a process on a CPU."""

    device: Literal["gpu", "cpu"] = "gpu"  # what computes
    devices: Count = 1  # of each machine
    machines: Count = 1  # that train together
    address: str | None = None  # host:port of the first of several machines; a launcher finds one
    memory_gb: Positive | None = None  # of a device; null: what the GPU here says, or the memory of this machine
    host_memory_gb: Positive | None = None  # of a machine; null: that of this one
    # ddp: each device holds all. fsdp2, zero3 (DeepSpeed): each holds a share of parameters, gradients and optimizer.
    spread: Literal["ddp", "fsdp2", "zero3"] = "ddp"
    sequence_parallel: Count = 1  # devices that share each sequence: Ulysses with zero3, ring attention with fsdp2
    offload: bool = False  # parameters, gradients and optimizer to the memory of the machine
    offload_activations: bool = False  # what is kept of the forward pass likewise
    activation_checkpointing: bool | None = (
        None  # compute activations twice; null: gradient_checkpointing of the recipe
    )
    attention: Literal["sdpa", "flash_attention_2", "flash_attention_3"] = "sdpa"  # its kernel
    liger: bool = False  # the layers' kernels of liger-kernel; the loss is in chunks in any case
    save_seconds: Positive = 300  # between checkpoints that a killed training goes on from
    save_steps: Count | None = None  # the same in steps
    device_batch: Count = 16  # the most sequences a device computes at once; gradients accumulate to batch_size
    peak_tflops: Positive = 989  # of a device in bfloat16, dense: an H100 by its data sheet
    utilization: Annotated[float, Field(gt=0, le=1)] = 0.4  # assumed for the hours of a dry run; not measured

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.device == "cpu" and (refused := self._needs_gpu()):
            raise ValueError(f"device: cpu goes without {', '.join(refused)}")
        if self.spread == "ddp" and (self.sequence_parallel > 1 or self.offload):
            raise ValueError("sequence_parallel and offload need spread: fsdp2 or zero3")
        if self.processes % self.sequence_parallel:
            raise ValueError(f"sequence_parallel {self.sequence_parallel} does not divide {self.processes} devices")
        if self.sequence_parallel > 1 and self.spread == "fsdp2" and self.attention != "sdpa":
            raise ValueError("sequence_parallel with fsdp2 is ring attention, which needs attention: sdpa")
        if self.sequence_parallel > 1 and self.offload_activations and self.spread == "zero3":
            raise ValueError("offload_activations does not go with the sequence_parallel of zero3")
        return self

    def _needs_gpu(self) -> list[str]:
        needs = {
            "zero3": self.spread == "zero3",
            "offload": self.offload,
            "offload_activations": self.offload_activations,
            "liger": self.liger,
            "sequence_parallel": self.sequence_parallel > 1,
            self.attention: self.attention != "sdpa",
        }
        return [name for name, there in needs.items() if there]

    @property
    def processes(self) -> int:
        return self.devices * self.machines

    @property
    def batches(self) -> int:
        """How many different batches are computed at once."""
        return self.processes // self.sequence_parallel


Hardware = dict[str, Preset]
PRESETS: Hardware = {  # of a project without the file
    "cpu": Preset(device="cpu"),
    "one_gpu": Preset(),
    "node_of_8": Preset(devices=8, spread="fsdp2"),
    "nodes": Preset(devices=8, machines=4, spread="fsdp2"),
}


def load_hardware(path: Path) -> Hardware:
    """The presets of a file; `PRESETS` where there is none. `ConfigError` names the file, the preset and the field."""
    if not path.exists():
        return PRESETS
    found = {name: parse(Preset, entry or {}, f"{path}: {name}") for name, entry in read_yaml(path).items()}
    if not found:
        raise ConfigError(f"{path}: no preset here: name one, or remove the file to have {', '.join(PRESETS)}")
    return found


def chosen(presets: Hardware, name: str | None, gpus: int) -> tuple[str, Preset]:
    """The preset of a name, or the one that fits a machine with so many GPUs: the first with as many devices, else one
    for several GPUs with `devices` as many as there are. `ConfigError` where the name is none of them, or none fits.

    >>> chosen(PRESETS, None, gpus=2)[1].devices
    2
    """
    if name:
        if name not in presets:
            raise ConfigError(f"hardware.yaml has no preset {name}: it has {', '.join(presets)}")
        return name, presets[name]
    kind = "gpu" if gpus else "cpu"
    here = {one: preset for one, preset in presets.items() if preset.device == kind and preset.machines == 1}
    for one, preset in here.items():
        if preset.devices == gpus or not gpus:
            return one, preset
    for one, preset in here.items():
        if preset.devices > 1 and gpus > 1 and preset.sequence_parallel == 1:
            return one, preset.model_copy(update={"devices": gpus})
    there = f"{gpus} GPUs" if gpus else "a machine without a GPU"
    raise ConfigError(f"hardware.yaml has no preset for {there}: add one, or name one of {', '.join(presets)}")
