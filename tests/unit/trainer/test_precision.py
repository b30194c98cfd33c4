from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.precision import computes_in_bfloat16, mixed_precision  # noqa: E402

pytestmark = pytest.mark.trainer


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"neon": True, "bf16": True}, True),
        ({"neon": True}, False),
    ],
)
def test_a_cpu_computes_in_what_it_has_instructions_for(
    capabilities: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    cpu = torch.device("cpu")
    assert computes_in_bfloat16(cpu) is expected
    with mixed_precision(cpu):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if expected else torch.float32)


def test_a_device_nobody_measured_keeps_float32() -> None:
    assert not computes_in_bfloat16(torch.device("mps"))
