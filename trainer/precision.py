"""The number format a network is trained in, by what the device computes in."""

from __future__ import annotations

import torch

# As `torch.cpu.get_capabilities` names them; the last one is ARM's.
BFLOAT16_ON_CPUS = ("avx512_bf16", "amx_bf16", "bf16")


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 inside, where the device computes in it; float32 where it would only be imitated.

    An AVX2 processor takes six times as long over a step in imitated bfloat16 as in float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_in_bfloat16(device))


def computes_in_bfloat16(device: torch.device) -> bool:
    """True for GPUs of NVIDIA's since Ampere, and for CPUs with instructions for it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in BFLOAT16_ON_CPUS)
    return False
