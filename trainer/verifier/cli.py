"""`python -m trainer verifier prepare | train | discriminant | calibrate | evaluate | view2 | export | publish`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from pathlib import Path
from typing import Any

DEFAULT_LICENCE = "AGPL-3.0-or-later; trained on LFW, which is for research use"
DEFAULT_TRAINED_ON = (
    "Labeled Faces in the Wild (deepfunneled), the people of the training group only; aligned by facekit's own detector"
)


def main(argv: list[str]) -> int:
    """Runs one verb. Returns 0, 1 with a sentence on stderr for a mistake a user can mend, or 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.verb(arguments)
    except (FileNotFoundError, ValueError) as error:
        print(f"verifier: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer verifier", description="The siamese verifier, on LFW.")
    verbs = parser.add_subparsers(required=True, metavar="verb")

    verb = verbs.add_parser("prepare", help="LFW photos → aligned chips, split by people")
    verb.add_argument("--lfw", type=Path, required=True, help="folder of Name/Name_0001.* (deepfunneled or original)")
    verb.add_argument("--data", type=Path, required=True, help="chip set to write; an interrupted run continues")
    verb.add_argument("--detector", type=Path, help="detector bundle (default: the one shipped with the source)")
    verb.add_argument("--detector-side", type=int, help="long side in px the detector looks at (default: its own)")
    verb.add_argument("--threads", type=int, default=0, help="CPU threads of the detector (default: all)")
    verb.add_argument("--align", choices=("detector", "fixed"), default="detector", help="fixed: deepfunneled geometry")
    verb.add_argument("--pairs", type=Path, help="pairsDevTest.txt (View 1) or pairs.txt (View 2) to hold out")
    verb.add_argument("--fold", type=int, help="View 2: the fold of --pairs to hold out, from 0")
    verb.add_argument("--held-out", type=float, default=0.12, help="share of the people held out (default 0.12)")
    verb.add_argument("--seed", type=int, default=7)
    verb.set_defaults(verb=_prepare)

    verb = verbs.add_parser("train", help="train a tower; resumes where it stopped")
    _data_and_run(verb)
    verb.add_argument("--config", choices=("transfer", "margin", "contrastive"), default="transfer")
    verb.add_argument("--hours", type=float, default=1.0, help="budget in all, resumed parts included")
    verb.add_argument("--steps", type=int, help="a budget in steps in place of hours")
    verb.add_argument("--init", type=Path, help="checkpoint to start from, e.g. of a run on fixed alignment")
    verb.add_argument("--backbone", type=Path, help="attribute bundles to begin from, e.g. services/analyzer/model")
    verb.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of the config")
    verb.set_defaults(verb=_train)

    verb = verbs.add_parser("discriminant", help="stand a projection of frozen maps beside a trained tower")
    verb.add_argument("--data", type=Path, required=True, help="chip set that `prepare` wrote")
    verb.add_argument("--run", type=Path, required=True, help="folder of a `transfer` run; gets discriminant.pt")
    verb.add_argument("--backbone", type=Path, required=True, help="attribute bundles, e.g. services/analyzer/model")
    verb.add_argument("--weight", type=float, default=0.7, help="of this embedding beside the tower's (default 0.7)")
    verb.set_defaults(verb=_discriminant)

    verb = verbs.add_parser("evaluate", help="figures on held-out people, and the worst mistakes as a picture")
    _data_and_run(verb)
    verb.add_argument("--pairs", type=Path, help="also score a pairs file: pairsDevTest.txt, or pairs.txt with --fold")
    verb.add_argument("--fold", type=int, help="View 2: the fold this run was trained without, from 0")
    verb.add_argument("--compare", type=Path, action="append", default=[], help="another run, on the same pairs")
    verb.set_defaults(verb=_evaluate)

    verb = verbs.add_parser("view2", help="mean and standard error over the runs of View 2's folds")
    verb.add_argument("runs", type=Path, nargs="+", help="runs evaluated with --pairs pairs.txt --fold K")
    verb.set_defaults(verb=_view2)

    verb = verbs.add_parser("calibrate", help="similarity → probability, thresholds, quality limits")
    _data_and_run(verb)
    verb.add_argument("--onnx", type=Path, help="measure this embedding network (ArcFace, SFace...) in place of ours")
    verb.add_argument("--input-px", type=int, default=112, help="with --onnx: its input side")
    verb.add_argument("--chip-side", type=int, default=160, help="with --onnx: chips shrunk to this before the crop")
    verb.add_argument("--channels", choices=("rgb", "bgr"), default="rgb", help="with --onnx")
    verb.add_argument("--layout", choices=("nchw", "nhwc"), default="nchw", help="with --onnx")
    verb.add_argument("--scale", type=float, default=255.0, help="with --onnx: (x / scale - mean) / std")
    verb.add_argument("--mean", type=float, default=0.5, help="with --onnx")
    verb.add_argument("--std", type=float, default=0.5, help="with --onnx")
    verb.add_argument("--max-far", type=float, default=0.01, help="false accepts at the default threshold")
    verb.set_defaults(verb=_calibrate)

    verb = verbs.add_parser("export", help="a calibrated and evaluated run → a model bundle")
    verb.add_argument("--run", type=Path, required=True)
    verb.add_argument("--out", type=Path, required=True, help="bundle folder, e.g. services/verifier/model")
    verb.add_argument("--name", default="facekit-siamese")
    verb.add_argument("--version", required=True, help="e.g. 2026.11.1")
    verb.add_argument("--licence", default=DEFAULT_LICENCE)
    verb.add_argument("--trained-on", default=DEFAULT_TRAINED_ON)
    verb.set_defaults(verb=_export)

    verb = verbs.add_parser("publish", help="a bundle → the object store's registry, where workers pick it up")
    verb.add_argument("bundle", type=Path)
    verb.set_defaults(verb=_publish)
    return parser


def _data_and_run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, required=True, help="chip set that `prepare` wrote")
    verb.add_argument("--run", type=Path, required=True, help="folder of this run")
    verb.add_argument("--device", default="auto", help="auto, cpu or cuda")
    verb.add_argument("--threads", type=int, default=0, help="CPU threads (default: torch's own choice)")


def _prepare(arguments: argparse.Namespace) -> None:
    from services.common.inference.bundle import load_bundle
    from services.common.settings import usable_cpus
    from trainer.verifier.lfw import read_pairs
    from trainer.verifier.prepare import Detect, prepare
    from trainer.verifier.split import Split, held_out_split, view1_split, view2_split

    share, seed = arguments.held_out, arguments.seed

    def split_people(counts: dict[str, int]) -> Split:
        if arguments.pairs is None:
            return held_out_split(counts, share, seed)
        pairs = read_pairs(arguments.pairs)
        if arguments.fold is None:
            return view1_split(counts, pairs, share, seed)
        return view2_split(counts, pairs, arguments.fold, share, seed)

    detect: Detect | None = None
    if arguments.align == "detector":
        import services.detector
        from services.detector.model import FaceDetector

        bundle = load_bundle(arguments.detector or Path(services.detector.__file__).parent / "model")
        if arguments.detector_side:
            side = {"long_side_px": arguments.detector_side, "max_long_side_px": arguments.detector_side}
            meta = bundle.meta.model_copy(update={"parameters": {**bundle.meta.parameters, **side}})
            bundle = dataclasses.replace(bundle, meta=meta)
        detect = FaceDetector(bundle, threads=arguments.threads or usable_cpus()).detect
    data = prepare(arguments.lfw, arguments.data, detect, split_people)
    print((data.folder / "prepare.json").read_text())


def _train(arguments: argparse.Namespace) -> None:
    from trainer.verifier.chips import SPLIT_FILE, open_chips
    from trainer.verifier.config import named_config
    from trainer.verifier.split import load_split
    from trainer.verifier.train import Budget, train

    config = named_config(arguments.config, **dict(_change(change) for change in arguments.set))
    data, split = open_chips(arguments.data), load_split(arguments.data / SPLIT_FILE)
    for ending in (signal.SIGINT, signal.SIGTERM):  # both save; a shell's background jobs start with Ctrl-C ignored
        signal.signal(ending, signal.default_int_handler)
    budget = Budget(arguments.hours, arguments.steps)
    train(data, split, config, arguments.run, budget, _device(arguments), arguments.init, arguments.backbone)


def _change(change: str) -> tuple[str, Any]:
    field, _, value = change.partition("=")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        raise ValueError(f"--set {change}: the value is not a number, list or string in JSON") from None


def _discriminant(arguments: argparse.Namespace) -> None:
    from trainer.verifier.chips import SPLIT_FILE, open_chips
    from trainer.verifier.discriminant import DiscriminantConfig
    from trainer.verifier.second_opinion import fit_second_opinion
    from trainer.verifier.split import load_split

    data, split = open_chips(arguments.data), load_split(arguments.data / SPLIT_FILE)
    config = DiscriminantConfig(weight=arguments.weight)
    print(fit_second_opinion(data, split, arguments.run, arguments.backbone, config))


def _evaluate(arguments: argparse.Namespace) -> None:
    from trainer.verifier.report import evaluate_run

    report = evaluate_run(
        arguments.data,
        arguments.run,
        _device(arguments),
        _threads(arguments),
        pairs_file=arguments.pairs,
        fold=arguments.fold,
        compared=arguments.compare,
    )
    print(json.dumps(report, indent=1))


def _view2(arguments: argparse.Namespace) -> None:
    from trainer.verifier.view2 import summarise

    print(json.dumps(summarise(arguments.runs), indent=1))


def _calibrate(arguments: argparse.Namespace) -> None:
    from services.common.inference.bundle import InputSpec
    from trainer.verifier.report import calibrate_run
    from trainer.verifier.trunk import adopt_onnx

    if arguments.onnx is not None:
        spec = InputSpec(
            width_px=arguments.input_px,
            height_px=arguments.input_px,
            channels=arguments.channels,
            layout=arguments.layout,
            scale=arguments.scale,
            mean=(arguments.mean,) * 3,
            std=(arguments.std,) * 3,
        )
        adopt_onnx(arguments.run, arguments.onnx, spec, arguments.chip_side)
    record = calibrate_run(
        arguments.data, arguments.run, _device(arguments), _threads(arguments), max_far=arguments.max_far
    )
    print(json.dumps({**record, "calibration": {**record["calibration"], "table": "..."}}, indent=1))


def _export(arguments: argparse.Namespace) -> None:
    from trainer.verifier.export import export

    bundle = export(
        arguments.run, arguments.out, arguments.name, arguments.version, arguments.licence, arguments.trained_on
    )
    print(f"{bundle.meta.label}: {bundle.onnx_path.stat().st_size / 1e6:.1f} MB")


def _publish(arguments: argparse.Namespace) -> None:
    from trainer.publish import publish

    print(publish(arguments.bundle))


def _threads(arguments: argparse.Namespace) -> int:
    import torch

    return int(arguments.threads or torch.get_num_threads())


def _device(arguments: argparse.Namespace) -> Any:
    import torch

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    name = arguments.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
