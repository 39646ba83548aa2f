"""Training of low-rank adapters with peft, and merging them into the model they were trained beside."""

from pathlib import Path
from typing import Any, Literal

from am_assets.config.lora import Lora
from am_assets.training.generation import writable


def peft_config(lora: Lora | None) -> Any:
    """The settings of peft; None where all parameters are trained."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets or "all-linear",
        task_type="CAUSAL_LM",
    )


def merge(student: Path, adapter: Path, output: Path, dtype: Literal["float32", "bfloat16"]) -> None:
    """Write the student with a stored adapter merged into its weights to `output`, which then needs no peft."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = writable(AutoModelForCausalLM.from_pretrained(student, dtype=dtype))
    PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().save_pretrained(output)


def missing_targets(model: Any, lora: Lora) -> list[str]:
    """Names in `targets` that no linear module of the model has."""
    import torch

    linear = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    return [name for name in lora.targets or [] if name.rpartition(".")[2] not in linear]
