"""`python -m trainer detector <verb>`: data to a served face detector, one verb a step."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SHIPPED_BUNDLE = Path("services/detector/model")


def main(argv: Sequence[str]) -> int:
    """Run one verb; returns 0, or 1 with a sentence on stderr for a mistake a user can mend. Wrong arguments exit with
    argparse's usage message."""
    arguments = _parser().parse_args(argv)
    arguments.argv = list(argv)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        return verb(arguments)
    except (FileNotFoundError, ValueError) as error:
        print(f"detector: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer detector", description=__doc__)
    verbs = parser.add_subparsers(title="verbs", required=True)

    def verb(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        added.set_defaults(verb=run)
        return added

    one = verb("prepare", _prepare, "WIDER FACE as downloaded -> YOLO labels with five landmarks")
    one.add_argument(
        "--widerface", type=Path, required=True, help="folder with WIDER_train/, WIDER_val/ and wider_face_split/"
    )
    one.add_argument("--out", type=Path, default=Path("runs/detector/data"), help="where labels go; photos are linked")

    one = verb("train", _train, "train within a budget of hours; the same command resumes after any interruption")
    _train_arguments(one)

    one = verb(
        "evaluate", _evaluate, "WIDER FACE's own protocol through the serving code, false alarms, misses; a report"
    )
    _judging_arguments(one)
    one.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="the bundle to judge")
    one.add_argument(
        "--names", type=Path, help="file of validation photos, one event/photo a line; all that exist by default"
    )
    one.add_argument(
        "--out", type=Path, default=Path("runs/detector/evaluation"), help="report, curves and figures go here"
    )
    one.add_argument("--run", type=Path, help="training run whose settings and losses belong in the report")

    one = verb("speed", _speed, "the bundle as served beside Ultralytics' predict: same weights, cores and photos")
    _judging_arguments(one)
    one.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    one.add_argument("--limit", type=int, help="use only the first N validation photos")

    one = verb("export", _export, "checkpoint -> ONNX bundle with threshold, figures, golden cases and card")
    _judging_arguments(one)
    one.add_argument("--checkpoint", type=Path, default=Path("runs/detector/run/last.pt"))
    one.add_argument("--bundle", type=Path, default=Path("runs/detector/bundle"), help="folder to write")
    one.add_argument("--version", required=True, help="for example 2026.11.1")
    one.add_argument("--trained-on", default=argparse.SUPPRESS, help="what the card says the weights have seen")
    one.add_argument(
        "--min-confidence", type=float, help="default threshold; chosen on the validation photos if absent"
    )
    one.add_argument("--average-with", type=Path, help="bundle the run began from: the mean of both is exported")

    one = verb("publish", _publish, "put a bundle into the object store's registry, then point `current` at it")
    one.add_argument("--bundle", type=Path, default=Path("runs/detector/bundle"))
    return parser


def _judging_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--widerface", type=Path, required=True, help="folder with WIDER_val/ and wider_face_split/")
    one.add_argument(
        "--ground-truth", type=Path, required=True, help="folder with wider_{face,easy,medium,hard}_val.mat"
    )
    one.add_argument("--threads", type=int, default=2)


def _train_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--data", type=Path, default=Path("runs/detector/data"), help="what prepare wrote")
    one.add_argument(
        "--out",
        dest="run",
        type=Path,
        default=Path("runs/detector/run"),
        help="checkpoint, settings and losses go here",
    )
    one.add_argument("--hours", type=float, required=True, help="budget for the whole run, over all resumptions")
    one.add_argument("--size", choices=("n", "s", "m"), default="n", help="width of the network")
    one.add_argument(
        "--weights",
        type=Path,
        help="what to start from: COCO weights (a state dict, or Ultralytics' yolov8*.pt), or a bundle's folder",
    )
    one.add_argument("--size-px", type=int, default=320, help="side of the square random views trained on first")
    one.add_argument(
        "--final-size-px", type=int, default=640, help="long side of the photo-shaped views trained on last"
    )
    one.add_argument("--final-share", type=float, default=0.25, help="of the budget for those; 1 leaves the first out")
    one.add_argument("--batch-size", type=int, default=16, help="views a step and process at --size-px")
    one.add_argument("--peak-learning-rate", type=float, default=1e-3)
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    one.add_argument("--processes", type=int, default=1, help="one a GPU; on CPUs busy with other work, one a core")
    one.add_argument(
        "--loader-workers", type=int, default=1, help="processes that draw views, for each training process"
    )
    one.add_argument("--cache", choices=("auto", "ram", "none"), default="auto", help="keep decoded photos in memory")
    one.add_argument("--limit", type=int, help="use only the first N photos")
    one.add_argument("--max-steps", type=int, help="stop after N steps, whatever the hours")


def _prepare(arguments: argparse.Namespace) -> int:
    from trainer.detector.prepare import prepare

    for split, counts in prepare(arguments.widerface, arguments.out).items():
        print(split, ", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0


def _train(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    processes = options.pop("processes")
    if processes > 1 and "WORLD_SIZE" not in os.environ:
        _refuse_more_than_gpus(processes, arguments.device)
        return _train_in_processes(processes, arguments.argv)
    from trainer.detector.train import TrainSettings, train

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped container saves as Ctrl-C does
    print(f"checkpoint: {train(TrainSettings(**options))}")
    return 0


def _refuse_more_than_gpus(count: int, device: str) -> None:
    """Raises ValueError when processes would share a GPU, which NVIDIA's NCCL refuses."""
    import torch

    gpus = torch.cuda.device_count()
    if device != "cpu" and torch.cuda.is_available() and count > gpus:
        raise ValueError(f"--processes {count} is one a GPU, and this machine shows {gpus}; or train with --device cpu")


def _train_in_processes(count: int, argv: Sequence[str]) -> int:
    """Run this command `count` times under torchrun, which ranks the copies; they share every step's gradient."""
    from torch.distributed.run import main as torchrun

    torchrun(["--standalone", f"--nproc-per-node={count}", "-m", "trainer", "detector", *argv])
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from services.common.inference.bundle import load_bundle
    from services.detector.model import FaceDetector
    from trainer.detector.evaluate import alarm_confidences, detect_validation, summary, wider_curves
    from trainer.detector.report import write_report

    detector = FaceDetector(load_bundle(arguments.bundle), arguments.threads)
    names = set(arguments.names.read_text().split()) if arguments.names else None
    judged = detect_validation(detector, arguments.widerface, names)
    curves = wider_curves(judged, arguments.ground_truth)
    alarms = alarm_confidences(detector, arguments.widerface)
    figures = summary(judged, curves, alarms, detector.default_confidence)
    print(json.dumps(figures, indent=2))
    print(f"report: {write_report(arguments.out, figures, curves, judged, arguments.run)}")
    return 0


def _speed(arguments: argparse.Namespace) -> int:
    from trainer.detector.speed import compare

    rows = compare(
        arguments.bundle,
        arguments.widerface,
        arguments.ground_truth,
        threads=arguments.threads,
        limit=arguments.limit,
    )
    for name, row in rows.items():
        precision = " / ".join(f"{value:.3f}" for value in row["average_precision"].values())
        print(f"{name:<28} {row['median_ms']:7.1f} ms  {row['times_as_fast']:5.2f} times as fast  AP {precision}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from trainer.detector.export import ExportSettings, export

    bundle = export(ExportSettings(**_options(arguments)))
    print(json.dumps(bundle.meta.metrics, indent=2))
    print(f"bundle: {bundle.folder} {bundle.meta.label}, threshold {bundle.meta.parameters['min_confidence']}")
    return 0


def _publish(arguments: argparse.Namespace) -> int:
    from trainer.publish import publish

    print(f"published: {publish(arguments.bundle)}")
    return 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(arguments).items() if name not in ("verb", "argv")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
