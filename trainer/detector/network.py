"""YOLOv8 with a pose head of five face landmarks: the network and its loss, both Ultralytics' own definitions."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from ultralytics.cfg import get_cfg
from ultralytics.nn.tasks import PoseModel, yaml_model_load
from ultralytics.utils.loss import v8PoseLoss

SIZES = ("n", "s", "m")
LANDMARKS_SHAPE = [5, 3]  # x, y, visibility
# Spread of each landmark's allowed error relative to the face (COCO's OKS). Ultralytics' default for five points, 0.2,
# is content with points a third of a face away; alignment needs better.
LANDMARK_SIGMA = 0.08


def build_network(size: str = "n", pretrained: Path | None = None) -> PoseModel:
    """A YOLOv8{n,s,m} face network in fp32; `pretrained`: a COCO state dict or Ultralytics .pt, matched by shape."""
    architecture = {**yaml_model_load(f"yolov8{size}-pose.yaml"), "kpt_shape": LANDMARKS_SHAPE}
    network = PoseModel(architecture, nc=1, verbose=False)
    network.names = {0: "face"}
    network.args = get_cfg(overrides={"task": "pose"})
    network.kpt_oks_sigmas = torch.full((LANDMARKS_SHAPE[0],), LANDMARK_SIGMA)
    if pretrained is not None:
        own = network.state_dict()
        matching = {k: v for k, v in _read_state(pretrained).items() if k in own and own[k].shape == v.shape}
        network.load_state_dict(matching, strict=False)
        print(f"{pretrained.name}: {len(matching)} of {len(own)} tensors start from it")
    return network


def _read_state(path: Path) -> dict[str, Tensor]:
    """A plain state dict, or the one inside Ultralytics' own checkpoint (a pickle: read only files you trust)."""
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        model: Any = torch.load(path, map_location="cpu", weights_only=False)["model"]
        state = model.float().state_dict()
    return state


class FaceLoss(v8PoseLoss):  # type: ignore[misc]
    """YOLOv8-pose's loss in which anchors inside ignored regions are not taught "no face here"."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.bce = _MaskedBCE()

    def loss(self, preds: Any, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Sums over the batch of (box, landmarks, landmark visibility, class, dfl) losses, and their means by name."""
        self.bce.keep = self._outside_ignored(preds["feats"], batch["ignore"].to(self.device))
        total, parts = super().loss(preds, batch)
        return total, parts

    def _outside_ignored(self, features: list[Tensor], ignore: Tensor) -> Tensor:
        """(B, anchors, 1): 0 where an anchor's centre lies in an ignored box, else 1."""
        centres = []
        for feature, stride in zip(features, self.stride, strict=True):
            y, x = torch.meshgrid(
                *(torch.arange(n, device=self.device) + 0.5 for n in feature.shape[2:]), indexing="ij"
            )
            centres.append(torch.stack([x, y], -1).reshape(-1, 2) * stride)
        xy = torch.cat(centres)  # (anchors, 2) px
        keep = torch.ones(features[0].shape[0], len(xy), device=self.device)
        if len(ignore):
            inside = ((xy[None] >= ignore[:, None, 1:3]) & (xy[None] <= ignore[:, None, 3:5])).all(-1)  # (K, anchors)
            keep.index_add_(0, ignore[:, 0].long(), -inside.float())
        return keep.clamp_(0, 1).unsqueeze(-1)


class _MaskedBCE(nn.Module):
    """Binary cross-entropy per anchor, zero where `keep` is 0 and the anchor is no face's own."""

    keep: Tensor

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return each * torch.maximum(self.keep, (target > 0).to(each.dtype))
