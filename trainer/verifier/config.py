"""What a training run is made of. `transfer` is what ships, `margin` learns from LFW alone, `contrastive` is plain."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """The shared tower. The chip is shrunk to `chip_side_px` and its central `input_px` enters the network."""

    trunk: Literal["residual", "backbone"] = "residual"  # `backbone`: YOLOv8n's, widths and depths are its own
    chip_side_px: int = 96
    input_px: int = 72
    widths: tuple[int, ...] = (32, 64, 128, 256)
    depths: tuple[int, ...] = (1, 2, 2, 2)
    embedding: int = 256
    dropout: float = 0.4

    def chip_side_for(self, input_px: int) -> int:
        """The chip side at which `input_px` shows the same part of the face."""
        return round(self.chip_side_px * input_px / self.input_px)


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Ranges around the aligned face; probabilities are per photo."""

    rotation_deg: float = 10.0
    zoom: float = 0.12
    shift: float = 0.06
    contrast: float = 0.4
    brightness: float = 0.3
    grey: float = 0.15
    low_resolution: float = 0.2
    occlusion: float = 0.4
    flip: float = 0.5


@dataclass(frozen=True, slots=True)
class TrainConfig:
    name: str = "margin"
    loss: Literal["margin", "contrastive"] = "margin"
    tower: TowerConfig = field(default_factory=TowerConfig)
    augment: AugmentConfig | None = field(default_factory=AugmentConfig)
    # (from this share of the run on, input px): coarse first, since small pictures cost less and teach the same.
    # The last one must be the tower's own.
    resolutions: tuple[tuple[float, int], ...] = ((0.0, 48), (0.5, 72))
    pairs_per_batch: int = 48  # people of whom two photos each enter a batch
    singles_per_batch: int = 32  # people with one photo: negatives, and classes of their own
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    warmup_steps: int = 100
    margin: float = 0.3
    margin_ramp: float = (
        0.3  # share of the run in which the margin grows from 0: full from the start, it does not learn
    )
    logit_scale: float = 24.0
    pair_weight: float = 1.0
    ema_decay: float = 0.998
    seed: int = 7

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def config_from_dict(stored: dict[str, Any]) -> TrainConfig:
    tower = {key: tuple(value) if isinstance(value, list) else value for key, value in stored["tower"].items()}
    augment = AugmentConfig(**stored["augment"]) if stored["augment"] else None
    resolutions = tuple((float(start), int(side)) for start, side in stored["resolutions"])
    return TrainConfig(
        **{**stored, "tower": TowerConfig(**tower), "augment": augment, "resolutions": resolutions}  # type: ignore[arg-type]
    )


CONFIGS = {
    # Begins from what faces' age, gender and ethnicity have taught (`--backbone`), and sees more pixels.
    "transfer": TrainConfig(
        name="transfer",
        tower=TowerConfig(trunk="backbone", chip_side_px=140, input_px=112),
        resolutions=((0.0, 112),),
        learning_rate=1e-3,
        weight_decay=0.05,
    ),
    "margin": TrainConfig(),
    # The seed's siamese: contrastive loss on pairs, flips alone as augmentation.
    "contrastive": TrainConfig(
        name="contrastive",
        loss="contrastive",
        augment=AugmentConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5),
        singles_per_batch=0,
        pairs_per_batch=64,
    ),
}


def named_config(name: str, **changes: Any) -> TrainConfig:
    """A config by name with fields replaced. Raises ValueError for a field it does not have."""
    unknown = sorted(set(changes) - {known.name for known in fields(TrainConfig)})
    if unknown:
        raise ValueError(f"the config has no field {', '.join(unknown)}")
    return config_from_dict(replace(CONFIGS[name], **changes).to_dict())  # lists from a command line become tuples
