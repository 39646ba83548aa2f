"""The devices of this machine that a training can be spread over."""

import os

from am_assets.config.hardware import BY_NAME, Hardware, Preset, chosen


def gpus() -> int:
    """How many GPUs this process may use."""
    import torch

    return int(torch.cuda.device_count())


def preset_here(presets: Hardware) -> tuple[str, Preset]:
    """The preset that `AM_HARDWARE` names, or the one for the GPUs that are here; `ConfigError` where there is none."""
    return chosen(presets, os.environ.get(BY_NAME), gpus())
