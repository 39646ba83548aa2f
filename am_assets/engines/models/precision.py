"""What the device at hand computes in."""


def has_bfloat16() -> bool:
    """Whether the GPU, or the CPU where there is none, computes in bfloat16 and does not only emulate it."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16"))
