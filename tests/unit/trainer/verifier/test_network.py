"""A face and its mirror image in one pass give what two passes give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.verifier.config import TowerConfig  # noqa: E402
from trainer.verifier.network import FlipEmbedding, Tower  # noqa: E402

pytestmark = pytest.mark.trainer


@pytest.mark.parametrize("count", [1, 3])
def test_an_embedding_is_the_sum_of_both_views(count: int) -> None:
    torch.manual_seed(3)
    tower = Tower(TowerConfig(48, 36, (8, 16, 32), (1, 1, 1), 16)).eval()
    faces = torch.rand(count, 3, 36, 36) * 2 - 1
    with torch.inference_mode():
        embedded = FlipEmbedding(tower)(faces)
        alone = torch.nn.functional.normalize(tower(faces) + tower(faces.flip(3)), dim=1)
        mirrored = FlipEmbedding(tower)(faces.flip(3))
    torch.testing.assert_close(embedded, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(embedded, mirrored, atol=1e-5, rtol=0)
