"""A tower's backbone begun from attribute bundles: age, gender and ethnicity are half of telling people apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.attributes.network import FaceNet
from trainer.attributes.restore import restore
from trainer.verifier.augment import centre_crop
from trainer.verifier.chips import ChipSet
from trainer.verifier.network import BackboneTower

MEASURED_PHOTOS = 1024  # for the norms' means and variances
BATCH = 64


def begin_from_attributes(tower: BackboneTower, bundles: Path, data: ChipSet, rows: list[int], side_px: int) -> None:
    """Fills the backbone from `bundles`/{age,gender,ethnicity}; norms are measured on photos `rows` of the training
    people, shrunk to `side_px`. Raises as `restore` does."""
    from services.verifier.preprocess import shrink_chips

    net = FaceNet()
    picked = np.random.default_rng(0).permutation(rows)[:MEASURED_PHOTOS]
    parts = np.array_split(np.sort(picked), max(len(picked) // BATCH, 1))
    crops = (centre_crop(torch.from_numpy(shrink_chips(data.chips[part], side_px)), tower.input_px) for part in parts)
    restore(net, bundles, (crop * 0.5 + 0.5 for crop in crops))
    tower.backbone.load_state_dict(net.backbone.state_dict())
