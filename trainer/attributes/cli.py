"""`python -m trainer attributes prepare | train | evaluate | export | publish`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PARTS = ("emotion", "faces")
SHIPPED = Path("services/analyzer/model")


def main(argv: Sequence[str]) -> int:
    """Runs one verb. Returns 0, or 1 with a sentence on stderr for a mistake that a user can mend."""
    from services.common.errors import FacekitError

    arguments = _parser().parse_args(argv)
    try:
        arguments.verb(arguments)
    except (FileNotFoundError, ValueError) as error:
        print(f"attributes: {error}", file=sys.stderr)
        return 1
    except FacekitError as error:
        print(f"attributes: {error.detail}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer attributes",
        description="Age, gender, ethnicity and emotion as DeepFace's graphs, on FairFace, UTKFace and FER2013.",
    )
    verbs = parser.add_subparsers(required=True, metavar="verb")

    def verb(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        added.set_defaults(verb=run)
        return added

    one = verb("prepare", _prepare, "public sets → face crops with labels and a held-out mask")
    one.add_argument("part", choices=PARTS)
    one.add_argument("--fer2013", type=Path, help="emotion: folder with train/<emotion>/")
    one.add_argument("--fairface", type=Path, help="faces: folder with fairface_label_*.csv")
    one.add_argument("--utkface", type=Path, help="faces: folder of AGE_GENDER_RACE_DATETIME.*")
    one.add_argument("--data", type=Path, default=Path("runs/attributes/data"), help="folder to write")
    one.add_argument(
        "--detector", type=Path, default=Path("services/detector/model"), help="bundle that finds landmarks"
    )
    one.add_argument("--align", choices=("detector", "usual"), default="detector", help="usual: each set's own framing")
    one.add_argument("--held-out", type=int, default=None, help="faces of each set (default 2800 emotion, 2160 faces)")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--threads", type=int, default=2)

    one = verb("train", _train, "train within a budget of hours; the same command goes on after an interruption")
    one.add_argument("part", choices=PARTS)
    one.add_argument("--data", type=Path, default=Path("runs/attributes/data"), help="what prepare wrote")
    one.add_argument("--run", type=Path, required=True, help="folder of this run")
    one.add_argument(
        "--weights",
        type=Path,
        help="what to start from: COCO weights (YOLOv8n's state dict or yolov8n.pt), or a folder of bundles",
    )
    one.add_argument("--hours", type=float, default=1.0, help="budget for the whole run, over all resumptions")
    one.add_argument("--batch", type=int, default=128)
    one.add_argument("--learning-rate", type=float, default=1.5e-3)
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    one.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")

    one = verb("evaluate", _evaluate, "figures of exported bundles on held-out faces, by group, as JSON")
    one.add_argument("--bundles", type=Path, default=SHIPPED, help="folder with age/, gender/, ethnicity/, emotion/")
    _held_out_data(one)

    one = verb("export", _export, "two trained runs → four bundles with figures, golden cases and cards")
    several = "runs, or folders of exported bundles; several answer together"
    one.add_argument("--emotion-run", type=Path, nargs="+", required=True, help=several)
    one.add_argument("--faces-run", type=Path, nargs="+", required=True, help=several)
    _held_out_data(one)
    one.add_argument("--out", type=Path, default=Path("runs/attributes/bundles"))
    one.add_argument("--version", required=True, help="for example 2026.11.1")
    one.add_argument("--trained-on", type=json.loads, default={}, help="JSON object: attribute → what its card says")

    one = verb("publish", _publish, "bundles → the object store's registry, where workers pick them up")
    one.add_argument("bundles", type=Path, nargs="+", help="folders of single bundles")
    return parser


def _held_out_data(one: argparse.ArgumentParser) -> None:
    one.add_argument("--emotion-data", type=Path, default=Path("runs/attributes/data"))
    one.add_argument("--faces-data", type=Path, default=Path("runs/attributes/data"))


def _prepare(arguments: argparse.Namespace) -> None:
    from services.common.inference.bundle import load_bundle
    from services.detector.model import FaceDetector
    from trainer.attributes.chips import Detector
    from trainer.attributes.fer2013 import prepare_emotion
    from trainer.attributes.prepare import prepare_faces

    needed = ("fer2013",) if arguments.part == "emotion" else ("fairface", "utkface")
    if missing := [f"--{name}" for name in needed if getattr(arguments, name) is None]:
        raise ValueError(f"prepare {arguments.part} needs {' and '.join(missing)}")
    detector: Detector | None = None
    if arguments.align == "detector":
        detector = FaceDetector(load_bundle(arguments.detector), arguments.threads)
    if arguments.part == "emotion":
        count = 2800 if arguments.held_out is None else arguments.held_out
        counts = prepare_emotion(arguments.fer2013, arguments.data, detector, count, arguments.seed)
    else:
        count = 2160 if arguments.held_out is None else arguments.held_out
        counts = prepare_faces(arguments.fairface, arguments.utkface, arguments.data, detector, count, arguments.seed)
    print(json.dumps(counts))


def _train(arguments: argparse.Namespace) -> None:
    if arguments.threads:
        # Before torch is imported: its pool is made then, and a pool of waiting threads slows a shared machine down.
        os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    import torch

    from trainer.attributes.fit import Schedule
    from trainer.attributes.train import Start, train_emotion, train_faces

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    schedule = Schedule(
        hours=arguments.hours,
        batch=arguments.batch,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        device=device,
    )
    train = train_emotion if arguments.part == "emotion" else train_faces
    train(arguments.data, arguments.run, Start(arguments.weights), schedule)


def _evaluate(arguments: argparse.Namespace) -> None:
    from services.analyzer.graphs import GRAPHS
    from services.common.inference.bundle import load_bundle
    from trainer.attributes.as_served import ServedGraph
    from trainer.attributes.evaluate import evaluate_emotion, evaluate_faces

    served = {name: ServedGraph(load_bundle(arguments.bundles / name).onnx_path.read_bytes(), name) for name in GRAPHS}
    emotion = served.pop("emotion")
    figures = evaluate_faces(served, arguments.faces_data)
    print(json.dumps({**figures, "emotion": evaluate_emotion(emotion, arguments.emotion_data)}, indent=2))


def _export(arguments: argparse.Namespace) -> None:
    from trainer.attributes.export import ExportSettings, export

    options = {name: value for name, value in vars(arguments).items() if name != "verb"}
    for name, bundle in export(ExportSettings(**options)).items():
        print(f"{name}: {bundle.meta.label} {json.dumps(bundle.meta.metrics)}")


def _publish(arguments: argparse.Namespace) -> None:
    from trainer.publish import publish

    for bundle in arguments.bundles:
        print(publish(bundle))
