"""Losses, augmentation and the training loop do what their words say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from trainer.attributes.augment import Augmentation, augment, plain  # noqa: E402
from trainer.attributes.faces import age_loss, age_weights  # noqa: E402
from trainer.attributes.fit import Schedule  # noqa: E402
from trainer.attributes.labels import UNKNOWN  # noqa: E402
from trainer.attributes.network import EmotionNet, FaceNet, load_backbone  # noqa: E402

pytestmark = pytest.mark.trainer


def test_a_known_year_is_a_narrow_distribution_and_a_bin_a_wide_one() -> None:
    weights = age_weights(np.array([1, 50, UNKNOWN]), np.array([UNKNOWN, UNKNOWN, 3]))
    assert weights[:2].sum(dim=1).tolist() == pytest.approx([1, 1])
    ages = torch.arange(101.0)
    assert (weights[0] @ ages).item() == pytest.approx(1.0, abs=0.1), "an infant is not pushed away from zero"
    assert (weights[1] @ ages).item() == pytest.approx(50.0, abs=0.01)
    assert (weights[2, 20:30] == 1).all()
    assert weights[2, 40] < 1e-3


def test_a_bin_leaves_the_year_inside_it_open() -> None:
    weights = age_weights(np.array([UNKNOWN, UNKNOWN]), np.array([3, 3]))
    logits = torch.full((2, 101), -20.0)
    logits[0, 21], logits[1, 28] = 0.0, 0.0
    losses = [age_loss(logits[i : i + 1], weights[i : i + 1], torch.zeros(1), torch.ones(1)).item() for i in range(2)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4) == pytest.approx(0, abs=1e-3)
    logits[0, 21], logits[0, 60] = -20.0, 0.0
    assert age_loss(logits[:1], weights[:1], torch.zeros(1), torch.ones(1)).item() > 5


def test_a_face_without_a_label_moves_nothing() -> None:
    weights = age_weights(np.array([30, 30]), np.array([UNKNOWN, UNKNOWN]))
    logits = torch.randn(2, 101, requires_grad=True)
    age_loss(logits, weights, torch.ones(2), torch.tensor([1.0, 0.0])).backward()
    assert logits.grad is not None
    assert logits.grad[1].abs().max() == 0


def test_the_window_is_the_part_that_serving_cuts() -> None:
    from services.analyzer.framing import FACE_WINDOW
    from trainer.attributes.faces import FaceSet

    rows = torch.arange(160, dtype=torch.uint8)
    chip = torch.stack([rows.repeat(160, 1), rows.unsqueeze(1).repeat(1, 160), rows.repeat(160, 1)])[None]
    seen = plain(chip, FaceSet.augmentation)[0] * 255
    middle_x, middle_y = seen[0].mean().item(), seen[1].mean().item()
    assert middle_x == pytest.approx(FACE_WINDOW.left_px + FACE_WINDOW.side_px / 2 - 0.5, abs=0.6)
    assert middle_y == pytest.approx(FACE_WINDOW.top_px + FACE_WINDOW.side_px / 2 - 0.5, abs=0.6)
    assert (seen[0].max() - seen[0].min()).item() == pytest.approx(FACE_WINDOW.side_px, abs=1.5)


def test_augmentation_stays_in_range_and_differs_each_time() -> None:
    torch.manual_seed(1)
    pictures = torch.randint(0, 256, (16, 3, 40, 40), dtype=torch.uint8)
    how = Augmentation(size_px=32, grey=1.0)
    first, second = augment(pictures, how), augment(pictures, how)
    assert first.shape == (16, 3, 32, 32)
    assert first.min() >= 0 and first.max() <= 1
    assert not torch.equal(first, second)


def test_schedule_warms_up_and_ends_near_nothing() -> None:
    schedule = Schedule(hours=1)
    plan = schedule.plan()
    assert plan.factor(0) < 0.05 < 0.95 < plan.factor(plan.warm_up + 1e-6) <= 1.01
    assert plan.factor(1) < 0.01
    assert (schedule.size_px(96, 0.1), schedule.size_px(96, 0.9)) == (80, 96)


def test_a_grey_network_starts_from_colour_weights(tmp_path: Path) -> None:
    colour = FaceNet()
    state = {f"model.{name}": value for name, value in colour.backbone.state_dict().items()}
    torch.save(state, tmp_path / "coco.pt")
    grey = EmotionNet()
    fitted = load_backbone(grey, tmp_path / "coco.pt")
    assert fitted == len(grey.backbone.state_dict())
    summed = colour.backbone[0].conv.weight.sum(dim=1, keepdim=True)
    assert torch.allclose(grey.backbone[0].conv.weight, summed)
