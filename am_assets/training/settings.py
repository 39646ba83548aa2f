"""The trainer's settings of a job: what the recipe's policy says, and how it is spread over devices.

What changes the weights comes from the policy, what does not from the hardware. The loop that uses them is in `sft.py`.
"""

from typing import Any

from am_assets.config.recipe import TrainingPolicy
from am_assets.engines.models.precision import has_bfloat16


def trainer_settings(policy: TrainingPolicy, device_batch: int, folder: str) -> Any:
    """The SFTConfig of a policy, with its batch divided among devices and accumulation steps."""
    import torch
    from trl import SFTConfig

    settings = SFTConfig(
        output_dir=folder,
        model_init_kwargs={"dtype": "float32"},  # master weights; bfloat16 is the precision of the computation
        bf16=policy.dtype == "bfloat16" or (policy.dtype == "auto" and has_bfloat16()),
        use_cpu=not torch.cuda.is_available(),
        num_train_epochs=policy.epochs,
        learning_rate=policy.learning_rate,
        lr_scheduler_type="constant_with_warmup" if policy.schedule == "constant" else policy.schedule,
        warmup_steps=policy.warmup_share,
        max_length=policy.max_length,
        packing=policy.packing,
        activation_checkpointing=policy.gradient_checkpointing,
        completion_only_loss=True,
        seed=policy.seed,
        data_seed=policy.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    per_device = sequences_per_device(policy.batch_size, settings.world_size, device_batch)
    settings.per_device_train_batch_size = per_device
    settings.gradient_accumulation_steps = policy.batch_size // (settings.world_size * per_device)
    return settings


def sequences_per_device(batch_size: int, devices: int, most: int) -> int:
    """The largest number of sequences up to `most` of which `devices` and whole accumulation steps make `batch_size`.

    >>> sequences_per_device(batch_size=64, devices=2, most=12)
    8
    """
    if batch_size % devices:
        raise ValueError(f"training.batch_size {batch_size} can't be shared by {devices} devices: name a multiple")
    share = batch_size // devices
    return max(size for size in range(1, min(most, share) + 1) if share % size == 0)
