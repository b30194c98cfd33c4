"""A run on one page: curves, recall by face size, losses, settings, sample pictures. HTML with the pictures inside."""

import base64
import csv
import html
import io
import json
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np

from trainer.detector.evaluate import read_rgb
from trainer.detector.operating_point import Judged
from trainer.detector.wider_protocol import Curve

matplotlib.use("Agg")

from matplotlib import pyplot as plt

SAMPLES = 6
SAMPLE_LONG_SIDE_PX = 480


def write_report(
    folder: Path, figures: dict[str, Any], curves: dict[str, Curve], judged: list[Judged], run: Path | None
) -> Path:
    """Write evaluation.json, precision_recall.png and report.html; returns the last. `run` adds settings and losses."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n")
    curve_png = _precision_recall(curves)
    (folder / "precision_recall.png").write_bytes(curve_png)
    parts = ["<h1>Face detector</h1>", _pre(figures), _image(curve_png)]
    if run is not None and (run / "losses.csv").is_file():
        parts += ["<h2>Training</h2>", _image(_losses(run / "losses.csv"))]
        parts.append(_pre(json.loads((run / "settings.json").read_text())))
    parts.append(f"<h2>Photos</h2><p>Found at {figures['threshold']} in green, annotated in blue.</p>")
    step = max(1, len(judged) // SAMPLES)
    parts += [_image(_sample(item, figures["threshold"])) for item in judged[::step][:SAMPLES]]
    page = folder / "report.html"
    page.write_text("<!doctype html><meta charset=utf-8><title>Face detector</title>\n" + "\n".join(parts))
    return page


def _precision_recall(curves: dict[str, Curve]) -> bytes:
    figure, axes = plt.subplots(figsize=(6, 5))
    for name, curve in curves.items():
        axes.plot(curve.recall, curve.precision, label=f"{name}: AP {curve.average_precision:.3f}, {curve.faces} faces")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="WIDER FACE validation")
    axes.legend(loc="lower left")
    axes.grid(alpha=0.3)
    return _png(figure)


def _losses(path: Path) -> bytes:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = plt.subplots(figsize=(6, 4))
    for name in ("box", "landmarks", "face"):
        axes.plot([float(r["minutes"]) for r in rows], [float(r[name]) for r in rows], label=name)
    axes.set(xlabel="minutes", ylabel="loss", yscale="log")
    axes.legend()
    return _png(figure)


def _sample(item: Judged, threshold: float) -> bytes:
    image = read_rgb(item.photo)
    for x1, y1, x2, y2 in item.truth_xyxy.round().astype(int).tolist():
        cv2.rectangle(image, (x1, y1), (x2, y2), (70, 110, 255), 1)
    sure = item.found.confidence >= threshold
    for box, points in zip(item.found.boxes_xyxy[sure], item.found.landmarks_xy[sure], strict=True):
        x1, y1, x2, y2 = box.round().astype(int).tolist()
        cv2.rectangle(image, (x1, y1), (x2, y2), (40, 220, 90), 2)
        for x, y in points.round().astype(int).tolist():
            cv2.circle(image, (x, y), 1, (255, 220, 0), -1)
    scale = SAMPLE_LONG_SIDE_PX / max(image.shape[:2])
    shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.imencode(".png", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR))[1]).tobytes()


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    return buffer.getvalue()


def _image(png: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _pre(values: dict[str, Any]) -> str:
    return f"<pre>{html.escape(json.dumps(values, indent=2))}</pre>"
