"""A face and its mirror image in one pass give what two passes give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.verifier.config import TowerConfig  # noqa: E402
from trainer.verifier.network import BackboneTower, FlipEmbedding  # noqa: E402
from trainer.verifier.second_opinion import MirroredMaps  # noqa: E402

pytestmark = pytest.mark.trainer


@pytest.fixture(scope="module")
def tower() -> BackboneTower:
    torch.manual_seed(3)
    return BackboneTower(TowerConfig(trunk="backbone", input_px=64, embedding=16)).eval()


@pytest.mark.parametrize("count", [1, 3])
def test_an_embedding_is_the_sum_of_both_views(tower: BackboneTower, count: int) -> None:
    faces = torch.rand(count, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        embedded = FlipEmbedding(tower)(faces)
        alone = torch.nn.functional.normalize(tower(faces) + tower(faces.flip(3)), dim=1)
        mirrored = FlipEmbedding(tower)(faces.flip(3))
    torch.testing.assert_close(embedded, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(embedded, mirrored, atol=1e-5, rtol=0)


@pytest.mark.parametrize("count", [1, 3])
def test_maps_are_the_mean_of_both_views_the_second_turned_back(tower: BackboneTower, count: int) -> None:
    faces = torch.rand(count, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        maps = MirroredMaps(tower)(faces)
        views = zip(tower.maps(faces), tower.maps(faces.flip(3)), strict=True)
        means = [((straight + turned.flip(3)) / 2).flatten(1) for straight, turned in views]
    torch.testing.assert_close(maps, torch.cat(means, dim=1), atol=1e-5, rtol=1e-4)
