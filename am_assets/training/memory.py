"""What a training takes of the memory of each device, reckoned without a device and without weights.

Parameters, gradients and the state of the optimizer are counted, tensor by tensor, on meta tensors. Activations come
from one step of the model with two and with three layers on fake tensors, which have shapes and no data: what is alive
is summed at each operation, and what a layer adds is taken as often as there are layers. So they are what PyTorch would
allocate, with attention as it is on a CPU: in blocks. A GPU rounds sizes up and keeps what it freed: `SLACK`.

    reckon(on_meta(shape, policy), shape, policy, preset).device  # bytes by part, of the device that holds the most
"""

import json
import math
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from unittest.mock import patch

from am_assets.config.hardware import Preset
from am_assets.config.recipe import TrainingPolicy
from am_assets.training.settings import checkpoints, is_mixed, is_sharded, sequences_per_device

SLACK = 0.05  # of the rest: what the allocator rounds up and keeps, as assumed
CONTEXT = 2.0e9  # bytes of CUDA, its libraries and NCCL on each device, as assumed
BLOCK = 256  # elements of adamw_8bit that share a scale
SMALLEST = 4096  # elements below which it keeps whole floats


@dataclass(frozen=True)
class Reckoning:
    """Bytes by part: on the device that holds the most, and in the memory of each machine."""

    device: dict[str, float]
    host: dict[str, float]


@dataclass(frozen=True)
class State:
    """Bytes that stay from step to step on one device."""

    parameters: int
    gradients: int
    optimizer: int


def reckon(model: Any, shape: Any, policy: TrainingPolicy, hardware: Preset) -> Reckoning:
    """What training a model of this shape takes (`on_meta`), with the batch divided as `settings` does."""
    stays, batch = held(model, policy, hardware), device_batch(policy, hardware)
    # Packed sequences are laid in one row, one behind the other: each takes what it takes alone.
    one = activations(shape, policy, hardware, 1 if policy.packing else batch)
    kept, layer, loss = (part * (batch if policy.packing else 1) for part in (one.kept, one.layer, one.loss))
    device, host = dict(stays.device), dict(stays.host)
    if hardware.offload_activations:
        host["activations"] = kept * hardware.devices
        kept = 2 * kept / shape.num_hidden_layers  # one layer's are computed with, another's are on their way
    device |= {"activations": kept, "loss, or one layer": max(layer, loss)}
    device["buffers"] = _buffers(model, shape, policy, hardware) + _mask(policy, hardware, batch)
    if hardware.device == "gpu":
        device["slack and CUDA"] = SLACK * sum(device.values()) + CONTEXT
    return Reckoning(device, host)


def held(model: Any, policy: TrainingPolicy, hardware: Preset) -> Reckoning:
    """What stays from step to step: parameters, gradients and the optimizer's state."""
    parts = {name: float(size) for name, size in asdict(state(model.parameters(), policy, hardware)).items()}
    if hardware.offload:
        return Reckoning(dict.fromkeys(parts, 0.0), {name: size * hardware.devices for name, size in parts.items()})
    return Reckoning(parts, {})


def device_batch(policy: TrainingPolicy, hardware: Preset) -> int:
    """Sequences that a device computes at once."""
    return sequences_per_device(policy.batch_size, hardware.batches, hardware.device_batch)


def on_meta(shape: Any, policy: TrainingPolicy) -> Any:
    """The model on meta tensors, with adapters where the policy trains those."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return _with_adapters(AutoModelForCausalLM.from_config(shape, dtype=getattr(torch, policy.parameters)), policy)


def _with_adapters(model: Any, policy: TrainingPolicy) -> Any:
    if policy.lora is None:
        return model
    from peft import get_peft_model

    from am_assets.training.adapters import peft_config

    return get_peft_model(model, peft_config(policy.lora))


def state(parameters: Iterable[Any], policy: TrainingPolicy, hardware: Preset) -> State:
    """Of the first device, which holds the largest share: FSDP2 gives each device rows of each tensor, rounded up;
    ZeRO-3 a part of each tensor, with bfloat16 parameters and gradients beside the float32 ones of its optimizer."""
    sharers = hardware.processes if is_sharded(hardware) else 1
    kept = gradients = optimizer = 0
    for one in parameters:
        rows = one.shape[0] if one.dim() else 1
        own = math.ceil(rows / sharers) * (one.numel() // rows)
        size = own * one.element_size()
        if hardware.spread == "zero3" and is_sharded(hardware):
            own = math.ceil(one.numel() / sharers)
            kept += own * 2
            gradients += own * 2 * one.requires_grad
            optimizer += own * 12 * one.requires_grad
            continue
        kept += size
        if one.requires_grad:
            gradients += size
            optimizer += _adam(own, one.element_size(), policy)
    return State(kept, gradients, optimizer)


def _adam(elements: int, element_size: int, policy: TrainingPolicy) -> int:
    """Two moments and a step count. With 8 bits: a byte for each element, a scale a block, and the table of values."""
    step = 4
    if policy.optimizer == "adamw_8bit" and elements >= SMALLEST and elements % BLOCK == 0:
        return 2 * (elements + 4 * elements // BLOCK + 4 * 256) + step
    return 2 * elements * element_size + step


@dataclass(frozen=True)
class Pass:
    """Bytes of one forward and backward pass beside what stays."""

    kept: float  # from the forward to the backward pass
    layer: float  # beside that, at most, in the backward pass of the layers
    loss: float  # beside that, at most, in the loss and its backward pass


def activations(shape: Any, policy: TrainingPolicy, hardware: Preset, sequences: int) -> Pass:
    """Of a device: its share of each sequence, all of them as long as `max_length`."""
    tokens = math.ceil(policy.max_length / hardware.sequence_parallel)
    # FSDP2 and ZeRO-3 gather parameters in the precision that is computed in; else autocast makes a copy of each.
    gathered = is_sharded(hardware) and is_mixed(policy)
    twice = checkpoints(policy, hardware)
    two, three = (_step(shape.to_json_string(), policy, gathered, twice, n, sequences, tokens) for n in (2, 3))
    kept = two.kept + (shape.num_hidden_layers - 2) * (three.kept - two.kept)
    return Pass(kept, max(two.layer, three.layer), max(two.loss, three.loss))


@lru_cache(maxsize=32)
def _step(
    shape: str, policy: TrainingPolicy, gathered: bool, twice: bool, layers: int, sequences: int, tokens: int
) -> Pass:
    """One step of the model with so many layers on fake tensors."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from transformers import AutoConfig

    config = AutoConfig.for_model(**{**json.loads(shape), "num_hidden_layers": layers, "layer_types": None})
    with FakeTensorMode(allow_non_fake_inputs=True), _unmoved(policy):
        model = on_cpu(config, policy, torch.bfloat16 if gathered else getattr(torch, policy.parameters))
        if twice:
            model.activation_checkpointing_enable()
        ids = torch.zeros(sequences, tokens, dtype=torch.long)
        return one_pass(model, ids, is_mixed(policy) and not gathered)


def _unmoved(policy: TrainingPolicy) -> AbstractContextManager[Any]:
    """peft moves adapters to where their layers are, which modules of fake tensors can't be; they are there already."""
    import torch

    return patch.object(torch.nn.Module, "to", lambda module, *_, **__: module) if policy.lora else nullcontext()


def on_cpu(config: Any, policy: TrainingPolicy, dtype: Any) -> Any:
    """The model as trl trains it, with the head that computes the loss in chunks."""
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa")
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    if policy.lora:
        model = _with_adapters(model, policy)
        model.enable_input_require_grads()
    return model.train()


def one_pass(model: Any, ids: Any, autocast: bool) -> Pass:
    """The passes over one batch, real or fake, on a CPU."""
    import torch

    from am_assets.training.live import Live

    base = model.get_base_model() if hasattr(model, "peft_config") else model
    with Live([*model.parameters(), *model.buffers()]) as live:
        at_start = live.now

        def done(_: Any, __: Any, output: Any) -> None:
            live.mark("loss")
            output.last_hidden_state.register_hook(lambda _: live.mark("layers"))

        base.base_model.register_forward_hook(done)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = model(input_ids=ids, labels=ids, fused_lm_head=True)
            loss = -output.log_probs.sum()
        del output
        loss.backward()
        kept = live.marks["loss"] - at_start
        return Pass(kept, live.peaks["layers"] - live.marks["loss"], live.peaks["loss"] - live.marks["loss"])


def _buffers(model: Any, shape: Any, policy: TrainingPolicy, hardware: Preset) -> float:
    """Parameters and gradients gathered from other devices, or waiting to be sent."""
    trained = sum(one.numel() * one.element_size() for one in model.parameters() if one.requires_grad)
    if not is_sharded(hardware):
        return trained if hardware.processes > 1 else 0  # DDP's buckets hold each gradient once more
    width = 2 if is_mixed(policy) else 4 if policy.parameters == "float32" else 2
    ends = {id(end.weight): end.weight.numel() for end in (model.get_input_embeddings(), model.get_output_embeddings())}
    inner = sum(one.numel() for one in model.parameters()) - sum(ends.values())
    layer = inner / shape.num_hidden_layers
    head = 4 if policy.parameters == "float32" else 2  # trl gathers the head as it is stored
    # Two layers, one of them ahead; the gradients of one, and their sum; the embedding and the head.
    return layer * (2 * width + width + 4) + max(ends.values()) * (width + head)


def _mask(policy: TrainingPolicy, hardware: Preset, batch: int) -> float:
    """Packed rows are kept apart by a mask of tokens by tokens, except in flash attention."""
    tokens = policy.max_length * batch
    return float(tokens * tokens) if policy.packing and hardware.attention == "sdpa" else 0.0
