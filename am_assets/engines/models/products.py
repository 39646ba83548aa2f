"""Linear layers for the few rows of a decoding step, on a CPU.

The kernels that `torch.nn.functional.linear` comes to are made for many rows of input: with 2 to 64 of them it takes up
to four times as long as `weight @ input.T`, of which the weights are the large side (measured with MKL on x86: 1.2 to 4
times, by rows and shape; `python -m am_assets_tests.bench.generation` shows what a model gains).
"""

from functools import partial
from typing import Any

import torch


def for_few_rows(model: Any) -> None:
    """Compute the linear layers of a float32 model on a CPU by `weight_first`; other models are left as they are."""
    for module in model.modules():
        if type(module) is torch.nn.Linear and (module.weight.device.type, module.weight.dtype) == ("cpu", torch.float):
            module.forward = partial(weight_first, module)  # type: ignore[method-assign]


def weight_first(layer: torch.nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    """What `layer.forward(inputs)` yields, but for rounding."""
    rows = inputs.reshape(-1, inputs.shape[-1])
    count = len(rows)
    padded = torch.nn.functional.pad(rows, (0, 0, 0, _whole(count) - count))
    outputs = (layer.weight @ padded.t())[:, :count].t()
    outputs = outputs + layer.bias if layer.bias is not None else outputs
    return outputs.contiguous().reshape(*inputs.shape[:-1], layer.out_features)


def _whole(rows: int) -> int:
    """So many rows cost no more than `rows`: powers of two up to 16, then multiples of 16, fill the registers."""
    return max(2, 1 << (rows - 1).bit_length()) if rows < 16 else -(-rows // 16) * 16
