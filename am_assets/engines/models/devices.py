"""The devices of this machine that a training can be spread over, and what they compute in."""

import os
from pathlib import Path

from am_assets.config.hardware import BY_NAME, Hardware, Preset, chosen

# Of NVIDIA, of AMD, and of Windows' subsystem for Linux.
DRIVERS = ("nvidia[0-9]*", "kfd", "dxg")


def gpus() -> int:
    """How many GPUs this process may use. torch, which takes seconds to load, is asked where any has a driver."""
    if not any(any(Path("/dev").glob(name)) for name in DRIVERS):
        return 0
    import torch

    return int(torch.cuda.device_count())


def has_bfloat16() -> bool:
    """Whether the GPU, or the CPU where there is none, computes in bfloat16 and does not only emulate it."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def preset_here(presets: Hardware) -> tuple[str, Preset]:
    """The preset that `AM_HARDWARE` names, or the one for the GPUs that are here; `ConfigError` where there is none."""
    return chosen(presets, os.environ.get(BY_NAME), gpus())
