"""The trainer's settings of a job: what the recipe's policy says, and how it is spread over devices.

What changes the weights comes from the policy, what does not from the hardware. How processes are started is in
`launch.py`, the loop in `sft.py`.
"""

from typing import Any

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.devices import has_bfloat16


def trainer_settings(policy: TrainingPolicy, hardware: Preset, folder: str, report_to: str | None = None) -> Any:
    """The SFTConfig of a policy, with its batch divided among devices and accumulation steps. `report_to`: an
    integration of transformers that is told of each step."""
    import torch
    from trl import SFTConfig

    on_cpu = hardware.device == "cpu" or not torch.cuda.is_available()
    by_fsdp = is_sharded(hardware) and hardware.spread == "fsdp2"  # which checkpoints and offloads by itself
    settings = SFTConfig(
        output_dir=folder,
        model_init_kwargs=_model(policy, hardware),
        bf16=is_mixed(policy),
        use_cpu=on_cpu,
        num_train_epochs=policy.epochs,
        learning_rate=policy.learning_rate,
        lr_scheduler_type="constant_with_warmup" if policy.schedule == "constant" else policy.schedule,
        warmup_steps=policy.warmup_share,
        max_length=policy.max_length,
        packing=policy.packing,
        loss_type=policy.loss,
        activation_checkpointing=checkpoints(policy, hardware) and not by_fsdp,
        activation_offloading=hardware.offload_activations and not by_fsdp,
        use_liger_kernel=hardware.liger,
        ddp_find_unused_parameters=False,
        completion_only_loss=True,
        seed=policy.seed,
        data_seed=policy.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would put the mean of earlier losses in the place of one that is no number
        save_strategy="no",  # `loop.Saving` decides
        dataset_kwargs={"skip_prepare_dataset": True},  # it is tokenized, and fits
        report_to=report_to or "none",
        disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
        # A share of a sequence is as long as the others.
        pad_to_multiple_of=2 * hardware.sequence_parallel if hardware.sequence_parallel > 1 else None,
        optim="adamw_torch_8bit" if policy.optimizer == "adamw_8bit" else "adamw_torch_fused",
    )
    if by_fsdp:
        _shard(settings)
    batches = settings.world_size // hardware.sequence_parallel
    per_device = sequences_per_device(policy.batch_size, batches, hardware.device_batch)
    settings.per_device_train_batch_size = per_device
    settings.gradient_accumulation_steps = policy.batch_size // (batches * per_device)
    return settings


def is_sharded(hardware: Preset) -> bool:
    """Whether parameters are shared out among devices, or between one and the memory of its machine."""
    return hardware.spread != "ddp" and (hardware.processes > 1 or hardware.offload)


def is_mixed(policy: TrainingPolicy) -> bool:
    """Whether float32 parameters are computed with in bfloat16."""
    half = policy.dtype == "bfloat16" or (policy.dtype == "auto" and has_bfloat16())
    return half and policy.parameters == "float32"


def checkpoints(policy: TrainingPolicy, hardware: Preset) -> bool:
    """Whether activations are computed twice instead of kept."""
    asked = hardware.activation_checkpointing
    return policy.gradient_checkpointing if asked is None else asked


def _model(policy: TrainingPolicy, hardware: Preset) -> dict[str, Any]:
    attention = {} if hardware.attention == "sdpa" else {"attn_implementation": hardware.attention}
    return {"dtype": policy.parameters, **attention}


def _shard(settings: Any) -> None:
    """Gradients are summed in float32, as DDP does; accelerate would sum them in bfloat16. And where there is no GPU,
    accelerate knows no FSDP: told that these were GPUs, it takes the same steps on CPUs."""
    import torch
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    if settings.bf16:
        half = {"param_dtype": torch.bfloat16, "output_dtype": torch.bfloat16}
        settings.fsdp_plugin_args = {"mixed_precision_policy": {**half, "reduce_dtype": torch.float32}}
    if settings.use_cpu:
        assert settings.world_size > 1  # the state is set up
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU


def sequences_per_device(batch_size: int, devices: int, most: int) -> int:
    """The largest number of sequences up to `most` of which `devices` and whole accumulation steps make `batch_size`.

    >>> sequences_per_device(batch_size=64, devices=2, most=12)
    8
    """
    if batch_size % devices:
        raise ValueError(f"training.batch_size {batch_size} can't be shared by {devices} devices: name a multiple")
    share = batch_size // devices
    return max(size for size in range(1, min(most, share) + 1) if share % size == 0)
