"""Model bundles: a folder with model.onnx, model.json, golden.json and a card; read strictly, checked, replayed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from services.common.errors import BundleInvalid, GoldenMismatch

BUNDLE_FILES = ("model.onnx", "model.json", "golden.json", "README.md")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSpec(_Strict):
    """What the graph is fed: sizes in pixels, 0 for a side that varies; (x / scale - mean) / std per channel."""

    width_px: int = Field(ge=0)
    height_px: int = Field(ge=0)
    channels: Literal["rgb", "bgr", "grey"]
    layout: Literal["nchw", "nhwc"]
    scale: float = Field(default=255.0, gt=0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


class BundleMeta(_Strict):
    """model.json. `parameters` holds the task's own knobs (thresholds, sizes), `calibration` what turns scores into
    probabilities, `metrics` figures with what they were measured on."""

    schema_version: Literal[1] = 1
    task: str = Field(description="a task of a stage")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$")
    input: InputSpec
    classes: tuple[str, ...] = ()
    parameters: dict[str, JsonValue] = {}
    calibration: dict[str, JsonValue] = {}
    metrics: dict[str, JsonValue] = {}
    trained_on: str
    licence: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of model.onnx")

    @property
    def label(self) -> str:
        """`name@version`, as results and logs name a model."""
        return f"{self.name}@{self.version}"


class GoldenCase(_Strict):
    """One fixed input and what the model answered when it was exported."""

    name: str
    png_base64: str
    outputs: dict[str, JsonValue]
    atol: float = Field(default=1e-3, gt=0)

    def image_rgb(self) -> NDArray[np.uint8]:
        """The input picture, uint8 (height, width, 3) RGB."""
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(self.png_base64), np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            raise BundleInvalid(f"golden input {self.name!r} is not a picture")
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)


class Golden(_Strict):
    cases: tuple[GoldenCase, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Bundle:
    folder: Path
    meta: BundleMeta
    golden: Golden

    @property
    def onnx_path(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / "README.md").read_text("utf-8")


Replay = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[Any]]]


def load_bundle(folder: Path) -> Bundle:
    """Reads and checks a bundle. Raises BundleInvalid, saying which file and what about it."""
    missing = [name for name in BUNDLE_FILES if not (folder / name).is_file()]
    if missing:
        raise BundleInvalid(f"bundle {folder.name}: missing {', '.join(missing)}")
    try:
        meta = BundleMeta.model_validate_json((folder / "model.json").read_bytes())
        golden = Golden.model_validate_json((folder / "golden.json").read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleInvalid(f"bundle {folder.name}: {where}: {first['msg']}") from error
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    if digest != meta.sha256:
        raise BundleInvalid(f"bundle {meta.label}: model.onnx does not have the sha256 that model.json names")
    return Bundle(folder, meta, golden)


def golden_case(
    name: str, image_rgb: NDArray[np.uint8], outputs: Mapping[str, NDArray[Any]], atol: float = 1e-3
) -> GoldenCase:
    """Records a model's answer to one picture (uint8, height x width x 3 RGB)."""
    done, png = cv2.imencode(".png", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"golden input {name!r} could not be encoded")
    recorded = {key: json.loads(json.dumps(np.asarray(value).tolist())) for key, value in outputs.items()}
    return GoldenCase(name=name, png_base64=base64.b64encode(png.tobytes()).decode(), outputs=recorded, atol=atol)


def write_bundle(
    folder: Path, *, onnx: bytes, meta: Mapping[str, Any], golden: Sequence[GoldenCase], card: str
) -> Bundle:
    """Writes a bundle file by file and reads it back. `meta` is BundleMeta without sha256, which is computed here."""
    folder.mkdir(parents=True, exist_ok=True)
    full = BundleMeta.model_validate({**meta, "sha256": hashlib.sha256(onnx).hexdigest()})
    contents = {
        "model.onnx": onnx,
        "model.json": (full.model_dump_json(indent=2) + "\n").encode(),
        "golden.json": (Golden(cases=tuple(golden)).model_dump_json(indent=1) + "\n").encode(),
        "README.md": card.encode(),
    }
    for name, content in contents.items():
        part = folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
    return load_bundle(folder)


def replay_golden(bundle: Bundle, run: Replay, slack: Mapping[str, float] | None = None) -> None:
    """Runs every golden input and compares. Raises GoldenMismatch at the first output that differs.

    `slack` widens the tolerance of outputs by name, for arithmetic with fewer digits than the bundle was recorded with.
    """
    for case in bundle.golden.cases:
        answered = run(case.image_rgb())
        for key, recorded in case.outputs.items():
            expected = np.asarray(recorded, dtype=np.float64)
            if key not in answered:
                raise GoldenMismatch(f"{bundle.meta.label}: case {case.name!r} has no output {key!r}")
            actual = np.asarray(answered[key], dtype=np.float64)
            if actual.shape != expected.shape:
                raise GoldenMismatch(
                    f"{bundle.meta.label}: case {case.name!r}, {key}: shape {actual.shape}, recorded {expected.shape}"
                )
            worst = float(np.max(np.abs(actual - expected), initial=0.0))
            allowed = case.atol + (slack or {}).get(key, 0.0)
            if not worst <= allowed:
                raise GoldenMismatch(
                    f"{bundle.meta.label}: case {case.name!r}, {key}: differs by {worst:.3g}, allowed {allowed:.3g}"
                )
