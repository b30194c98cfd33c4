"""The configs that learn from LFW alone: `margin`, and `contrastive`, the plain siamese. What ships is `pretrained`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """The shared tower. The chip is shrunk to `chip_side_px` and its central `input_px` enters the network."""

    chip_side_px: int = 96
    input_px: int = 72
    widths: tuple[int, ...] = (32, 64, 128, 256)
    depths: tuple[int, ...] = (1, 2, 2, 2)
    embedding: int = 256
    dropout: float = 0.4


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
class SiameseConfig:
    name: str = "margin"
    loss: Literal["margin", "contrastive"] = "margin"
    tower: TowerConfig = field(default_factory=TowerConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    pairs_per_batch: int = 48  # people of whom two photos each enter a batch
    singles_per_batch: int = 32  # people with one photo: negatives, and classes of their own
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    margin: float = 0.3
    # Share of the run in which the margin grows from 0: full from the start, it does not learn.
    margin_ramp: float = 0.3
    logit_scale: float = 24.0
    pair_weight: float = 1.0
    ema_decay: float = 0.998
    seed: int = 7

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def config_from_dict(stored: Mapping[str, Any]) -> SiameseConfig:
    tower: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in stored["tower"].items()
    }
    augment = AugmentConfig(**stored["augment"])
    return SiameseConfig(**{**stored, "tower": TowerConfig(**tower), "augment": augment})


CONFIGS = {
    "margin": SiameseConfig(),
    # The seed's siamese: contrastive loss on pairs, flips alone as augmentation.
    "contrastive": SiameseConfig(
        name="contrastive",
        loss="contrastive",
        augment=AugmentConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5),
        singles_per_batch=0,
        pairs_per_batch=64,
    ),
}


def named_config(name: str, **changes: Any) -> SiameseConfig:
    """A config by name with fields replaced. Raises ValueError for a field it does not have."""
    refuse_unknown(SiameseConfig, changes)
    return replace(CONFIGS[name], **changes)


def refuse_unknown(config: type[Any], changes: Mapping[str, Any]) -> None:
    unknown = sorted(set(changes) - {known.name for known in fields(config)})
    if unknown:
        raise ValueError(f"the config has no field {', '.join(unknown)}")
