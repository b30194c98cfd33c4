"""The face network's training set, loss and predictions: age, gender and ethnicity from one trunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from services.analyzer.framing import FACE_WINDOW
from services.common.inference.boxes import CHIP_SIZE_PX
from trainer.attributes.augment import Augmentation, plain
from trainer.attributes.fit import Targets
from trainer.attributes.labels import AGES, ETHNICITIES, FAIRFACE_AGE_BINS, GENDERS, UNKNOWN, age_bin
from trainer.attributes.network import FACE_SIZE_PX

BIN_EDGE_YEARS = 1.5
LABEL_SMOOTHING = 0.05
BALANCE_POWER = 0.3
# Of the three losses' sum. Left alone, age outweighs the others by far and is the first to be good enough.
GENDER_SHARE, ETHNICITY_SHARE = 2.0, 1.5


class FaceSet:
    """FairFace and UTKFace as `prepare` wrote them; `len` and `batch` are about the training part alone."""

    augmentation = Augmentation(
        size_px=FACE_SIZE_PX,
        window=FACE_WINDOW.side_px / CHIP_SIZE_PX,
        centre_xy=(
            (2 * FACE_WINDOW.left_px + FACE_WINDOW.side_px) / CHIP_SIZE_PX - 1,
            (2 * FACE_WINDOW.top_px + FACE_WINDOW.side_px) / CHIP_SIZE_PX - 1,
        ),
        rotation_deg=12,
        scale=1.15,
        shift=0.04,
        smallest_px=32,
        low_resolution=0.3,
        grey=0.15,
        erase=0.3,
    )
    mixup = 0.0  # mixed ages would be no age

    def __init__(self, data: Path) -> None:
        self.chips: NDArray[np.uint8] = np.load(data / "chips.npy", mmap_mode="r")
        stored = np.load(data / "faces.npz")
        self.rows: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
        self.held_out: NDArray[np.bool_] = stored["held_out"]
        self.training = np.flatnonzero(~self.held_out)
        self._age = age_weights(stored["age_years"], stored["age_bin"])
        self._exact = torch.from_numpy(stored["age_years"] != UNKNOWN)
        years = stored["age_years"]
        bins = np.where(years == UNKNOWN, stored["age_bin"], [age_bin(year) for year in years])
        self._age_share = _balance(bins, len(FAIRFACE_AGE_BINS), self.training)
        self._gender = _soft(stored["gender"], len(GENDERS), self.training)
        self._ethnicity = _soft(stored["ethnicity"], len(ETHNICITIES), self.training)

    def __len__(self) -> int:
        return len(self.training)

    def batch(self, indices: Tensor) -> tuple[Tensor, Targets]:
        chosen = np.sort(self.training[indices.numpy()])
        rows = torch.from_numpy(chosen)
        pictures = torch.from_numpy(self.chips[chosen]).permute(0, 3, 1, 2)
        return pictures, {
            "age": self._age[rows],
            "age_exact": self._exact[rows].float(),
            "age_share": self._age_share[rows],
            "gender": self._gender[rows],
            "ethnicity": self._ethnicity[rows],
        }

    def loss(self, logits: Mapping[str, Tensor], targets: Targets) -> Tensor:
        return (
            age_loss(logits["age"], targets["age"], targets["age_exact"], targets["age_share"])
            + GENDER_SHARE * _cross_entropy(logits["gender"], targets["gender"])
            + ETHNICITY_SHARE * _cross_entropy(logits["ethnicity"], targets["ethnicity"])
        )


def age_weights(age_years: NDArray[np.int64], age_bins: NDArray[np.int64]) -> Tensor:
    """(N, 101). A known year: a Gaussian around it that sums to 1, narrow for infants and 3 years wide from 40 on.
    A bin: how well each age fits it, 1 inside and falling off over BIN_EDGE_YEARS outside."""
    ages = torch.arange(AGES, dtype=torch.float32)
    years = torch.from_numpy(age_years).float().unsqueeze(1)
    gaussian = torch.exp(-0.5 * ((ages - years) / (0.5 + 0.06 * years).clamp(0.5, 3.0)) ** 2)
    gaussian = gaussian / gaussian.sum(dim=1, keepdim=True).clamp(min=1e-6)
    edges = torch.tensor(FAIRFACE_AGE_BINS, dtype=torch.float32)[torch.from_numpy(age_bins).clamp(min=0)]
    outside = (edges[:, :1] - ages).clamp(min=0) + (ages - edges[:, 1:]).clamp(min=0)
    fits = torch.exp(-0.5 * (outside / BIN_EDGE_YEARS) ** 2)
    return torch.where(torch.from_numpy(age_years != UNKNOWN).unsqueeze(1), gaussian, fits)


def age_loss(logits: Tensor, weights: Tensor, exact: Tensor, share: Tensor) -> Tensor:
    """Known years: cross entropy with the Gaussian, and the error of the expectation, which is the answer. Bins: minus
    the logarithm of the probability that falls into the bin, which leaves the year inside it open."""
    log_p = logits.log_softmax(dim=1)
    of_year = -(weights * log_p).sum(dim=1)
    of_bin = -(log_p + weights.clamp(min=1e-6).log()).logsumexp(dim=1)
    ages = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device)
    expected, known = log_p.exp() @ ages, weights @ ages
    error = F.smooth_l1_loss(expected, known, reduction="none", beta=2.0) * 0.1
    return (share * (exact * (of_year * 0.6 + error) + (1 - exact) * of_bin)).sum() / share.sum()


def _balance(classes: NDArray[np.int64], count: int, training: NDArray[np.int64]) -> Tensor:
    """Weights (N,): rarer classes count more, mildly; 0 without a label; mean 1 over the training part."""
    labelled = classes[training]
    counts = np.bincount(labelled[labelled != UNKNOWN], minlength=count).clip(min=1)
    weights = np.append((counts.mean() / counts) ** BALANCE_POWER, 0.0)[classes]
    return torch.tensor(weights / max(weights[training].mean(), 1e-9), dtype=torch.float32)


def _soft(classes: NDArray[np.int64], count: int, training: NDArray[np.int64]) -> Tensor:
    """Smoothed one-hot rows (N, classes) times their balance; a row of zeros without a label."""
    labels = torch.from_numpy(classes)
    smooth = F.one_hot(labels.clamp(min=0), count) * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / count
    return smooth * _balance(classes, count, training).unsqueeze(1)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return -(targets * logits.log_softmax(dim=1)).sum() / targets.sum().clamp(min=1e-6)


@torch.no_grad()
def predict_faces(
    net: nn.Module, chips: NDArray[np.uint8], size_px: int = FACE_SIZE_PX
) -> dict[str, NDArray[np.float32]]:
    """Probabilities for chips (N, 160, 160, 3) RGB: "age" (N, 101), "gender" (N, 2), "ethnicity" (N, 6)."""
    net.eval()
    how, device = replace(FaceSet.augmentation, size_px=size_px), next(net.parameters()).device
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(chips), 256):
        pictures = torch.from_numpy(np.ascontiguousarray(chips[start : start + 256])).permute(0, 3, 1, 2)
        for name, logits in net(plain(pictures.to(device), how)).items():
            parts.setdefault(name, []).append(logits.softmax(dim=1).cpu())
    return {name: np.asarray(torch.cat(values).numpy(), dtype=np.float32) for name, values in parts.items()}
