"""How the processes of a training are started: a command, and the file that tells accelerate how they share the work.

    command(["-m", "am_assets.training.sft", "{...}"], policy, hardware, folder)

The file is that of `accelerate config`: it serves as well for a training that is started by hand.
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.training.settings import checkpoints, is_mixed, is_sharded

FILE = "accelerate.yaml"
PORT = 29500
# Packages that are needed for some presets and policies alone, by the extra that has them.
EXTRAS = {"deepspeed": "deepspeed", "liger": "liger_kernel", "optimizers": "torchao", "lora": "peft"}


def command(
    program: list[str], policy: TrainingPolicy, hardware: Preset, folder: Path, rank: int | None = None
) -> list[str]:
    """The command line that runs a Python program on the devices, with the file of accelerate written to `folder` if
    that starts it. `rank`: which of several machines this one is, counted from 0."""
    if is_launched(hardware):
        content = yaml.safe_dump(accelerate_config(policy, hardware), sort_keys=False)
        (folder / FILE).write_text(content)
    return arguments(program, hardware, folder, rank)


def arguments(program: list[str], hardware: Preset, folder: Path, rank: int | None = None) -> list[str]:
    """The command line alone. One process is started by plain Python, which takes 4 s less."""
    if not is_launched(hardware):
        return [sys.executable, *program]
    which = ["--machine_rank", "$MACHINE_RANK" if rank is None else str(rank)] if hardware.machines > 1 else []
    return [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(folder / FILE), *which, *program]


def is_launched(hardware: Preset) -> bool:
    return hardware.processes > 1 or is_sharded(hardware)


def accelerate_config(policy: TrainingPolicy, hardware: Preset) -> dict[str, Any]:
    """The content of a file of `accelerate config`."""
    sharded = is_sharded(hardware)
    kind = {"fsdp2": "FSDP", "zero3": "DEEPSPEED"}[hardware.spread] if sharded else "MULTI_GPU"
    host, _, port = (hardware.address or f"127.0.0.1:{PORT if hardware.machines > 1 else 0}").partition(":")
    config: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": kind,  # accelerate starts several processes on a CPU as if it were GPUs
        "mixed_precision": "bf16" if is_mixed(policy) else "no",
        "num_machines": hardware.machines,
        "num_processes": hardware.processes,
        "machine_rank": 0,
        "main_process_ip": host,
        "main_process_port": int(port or PORT),  # 0: any that is free
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": hardware.device == "cpu",
    }
    if kind == "FSDP":
        config["fsdp_config"] = _fsdp(policy, hardware)
    if kind == "DEEPSPEED":
        config["deepspeed_config"] = _deepspeed(hardware)
    if hardware.sequence_parallel > 1:
        config["parallelism_config"] = _parallelism(hardware)
    return config


def _fsdp(policy: TrainingPolicy, hardware: Preset) -> dict[str, Any]:
    twice = checkpoints(policy, hardware)
    return {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": True,
        "fsdp_offload_params": hardware.offload,
        "fsdp_activation_checkpointing": twice,
        "fsdp_activation_checkpointing_offload": twice and hardware.offload_activations,
        "fsdp_cpu_ram_efficient_loading": hardware.device == "gpu" and policy.lora is None,
        "fsdp_sync_module_states": True,
        "fsdp_state_dict_type": "FULL_STATE_DICT",
    }


def _deepspeed(hardware: Preset) -> dict[str, Any]:
    place = "cpu" if hardware.offload else "none"
    several = {"deepspeed_multinode_launcher": "standard"} if hardware.machines > 1 else {}
    return {
        "zero_stage": 3,
        "zero3_init_flag": True,
        "zero3_save_16bit_model": True,
        "offload_optimizer_device": place,
        "offload_param_device": place,
        **several,
    }


def _parallelism(hardware: Preset) -> dict[str, Any]:
    if hardware.spread == "fsdp2":
        return {
            "parallelism_config_cp_size": hardware.sequence_parallel,
            "parallelism_config_cp_backend": "torch",
            "parallelism_config_cp_comm_strategy": "alltoall",
            "parallelism_config_dp_shard_size": hardware.batches,
        }
    return {
        "parallelism_config_sp_size": hardware.sequence_parallel,
        "parallelism_config_sp_backend": "deepspeed",
        "parallelism_config_sp_seq_length_is_variable": True,
        "parallelism_config_sp_attn_implementation": hardware.attention,
    }


def contradictions(policy: TrainingPolicy, hardware: Preset) -> Iterator[str]:
    """What of a policy this hardware can't do, whatever is installed; each begins with the field at fault."""
    if policy.batch_size % hardware.batches:
        near = policy.batch_size + -policy.batch_size % hardware.batches
        yield (
            f"training.batch_size {policy.batch_size} can't be shared by {hardware.batches} devices that compute"
            f" different sequences: {near} can, or a preset with other devices"
        )
    if hardware.sequence_parallel > 1 and hardware.spread == "fsdp2" and policy.packing:
        yield (
            "training.packing: ring attention lets packed rows see one another: set it to false, or have the sequences"
            " shared by spread: zero3"
        )
    if hardware.spread == "zero3" and policy.parameters == "bfloat16" and is_sharded(hardware):
        yield "training.parameters: DeepSpeed keeps float32 ones in any case: set it to float32, or spread to fsdp2"
    if hardware.spread == "zero3" and policy.optimizer == "adamw_8bit" and is_sharded(hardware):
        yield "training.optimizer: DeepSpeed does not shard the state of adamw_8bit: set spread to fsdp2"
    if hardware.spread == "zero3" and policy.loss == "dft" and hardware.sequence_parallel > 1:
        yield "training.loss: dft does not go with the sequence_parallel of zero3: trl computes nll there"
    if hardware.offload and policy.optimizer == "adamw_8bit":
        yield "training.optimizer: adamw_8bit is computed on the GPU: set it to adamw, or offload to false"


def not_here(policy: TrainingPolicy, hardware: Preset, gpus: int, placed: bool = False) -> Iterator[str]:
    """What this machine lacks for the preset; each begins with the field at fault. Several machines are not looked for
    where a cluster has them (`placed`)."""
    together = placed and hardware.machines > 1
    if not together and hardware.device == "gpu" and hardware.devices > gpus:
        found = {0: "no GPU is", 1: "1 GPU is"}.get(gpus, f"{gpus} GPUs are")
        yield f"devices: {hardware.devices}, but {found} here: name a preset that fits, by AM_HARDWARE or --hardware"
    if hardware.machines > 1 and not placed:
        yield (
            f"machines: {hardware.machines}, but without launcher.ray an apply trains on this one alone: `am"
            " train --dry-run` prints the command that is run on each"
        )
    needed = {
        "deepspeed": ("spread: zero3", hardware.spread == "zero3" and is_sharded(hardware)),
        "liger": ("liger: true", hardware.liger),
        "optimizers": ("training.optimizer: adamw_8bit", policy.optimizer == "adamw_8bit"),
        "lora": ("training.lora", policy.lora is not None),
    }
    for extra, (field, is_needed) in needed.items():
        if is_needed and find_spec(EXTRAS[extra]) is None:
            yield f"{field} needs {EXTRAS[extra]}, which is not installed: pip install 'am-assets[{extra}]'"
    if hardware.attention != "sdpa" and find_spec("flash_attn") is None and find_spec("kernels") is None:
        yield f"attention: {hardware.attention} needs the package flash-attn or kernels, and neither is installed"
