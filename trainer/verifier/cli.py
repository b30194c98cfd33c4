"""`python -m trainer verifier prepare | prepare-portraits | train | choose | calibrate | evaluate | ... | publish`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from pathlib import Path
from typing import Any

from trainer.verifier.options import parser


def main(argv: list[str]) -> int:
    """Runs one verb. Returns 0, 1 with a sentence on stderr for a mistake a user can mend, or 130 after Ctrl-C."""
    arguments = parser().parse_args(argv)
    try:
        VERBS[arguments.verb](arguments)
    except (FileNotFoundError, ValueError) as error:
        print(f"verifier: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _prepare(arguments: argparse.Namespace) -> None:
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
        detect = _detector(arguments.detector, arguments.threads, arguments.detector_side).detect
    data = prepare(arguments.lfw, arguments.data, detect, split_people)
    print((data.folder / "prepare.json").read_text())


def _detector(bundle_folder: Path | None, threads: int, side_px: int | None = None) -> Any:
    import services.detector
    from services.common.inference.bundle import load_bundle
    from services.common.settings import usable_cpus
    from services.detector.model import FaceDetector

    bundle = load_bundle(bundle_folder or Path(services.detector.__file__).parent / "model")
    if side_px:
        side = {"long_side_px": side_px, "max_long_side_px": side_px}
        meta = bundle.meta.model_copy(update={"parameters": {**bundle.meta.parameters, **side}})
        bundle = dataclasses.replace(bundle, meta=meta)
    return FaceDetector(bundle, threads=threads or usable_cpus())


def _prepare_portraits(arguments: argparse.Namespace) -> None:
    from collections import Counter

    from trainer.verifier.portrait_chips import cut_chips
    from trainer.verifier.portraits import hold_out, read_fairface, read_utkface, write_portraits

    folders = {"fairface": arguments.fairface}
    rows = read_fairface(arguments.fairface)
    if arguments.utkface is not None:
        excluded = arguments.exclude.read_text().split() if arguments.exclude is not None else []
        folders["utkface"] = arguments.utkface
        rows += read_utkface(arguments.utkface, excluded)
    rows = hold_out(rows, arguments.held_out, arguments.seed)
    detector = _detector(arguments.detector, arguments.threads)
    written = write_portraits(arguments.portraits, rows, lambda rows: cut_chips(rows, folders, detector))
    counts = Counter(f"{row.source} {row.part} {'aligned' if row.aligned else 'not found'}" for row in written.rows)
    print(json.dumps(counts, indent=1))


def _train(arguments: argparse.Namespace) -> None:
    from trainer.loop import Plan
    from trainer.verifier.chips import SPLIT_FILE, open_chips
    from trainer.verifier.split import load_split

    data, split = open_chips(arguments.data), load_split(arguments.data / SPLIT_FILE)
    for ending in (signal.SIGINT, signal.SIGTERM):  # both save; a shell's background jobs start with Ctrl-C ignored
        signal.signal(ending, signal.default_int_handler)
    changes = dict(_change(change) for change in arguments.set)
    device = _device(arguments)
    if arguments.config != "pretrained":
        from trainer.verifier.config import named_config
        from trainer.verifier.siamese_learner import train_siamese

        config = named_config(arguments.config, **changes)
        plan = Plan(
            config.learning_rate, arguments.hours, arguments.steps, ema_decay=config.ema_decay, seed=config.seed
        )
        train_siamese(data, split, config, arguments.run, plan, device)
        return
    from trainer.verifier.config import refuse_unknown
    from trainer.verifier.final import choose
    from trainer.verifier.portraits import open_portraits
    from trainer.verifier.pretrained_learner import PretrainedConfig
    from trainer.verifier.pretrained_run import Beginning, train_pretrained

    refuse_unknown(PretrainedConfig, changes)
    learning = PretrainedConfig(**changes)
    plan = Plan(
        learning.learning_rate, arguments.hours, arguments.steps, ema_decay=learning.ema_decay, seed=learning.seed
    )
    portraits = open_portraits(_portraits(arguments))
    beginning = Beginning(arguments.pretrained, arguments.sface, arguments.init)
    train_pretrained(data, split, portraits, learning, arguments.run, plan, beginning, device)
    choose(data, split, portraits, arguments.run, device)


def _choose(arguments: argparse.Namespace) -> None:
    from trainer.verifier.chips import SPLIT_FILE, open_chips
    from trainer.verifier.final import choose
    from trainer.verifier.portraits import open_portraits
    from trainer.verifier.split import load_split

    data, split = open_chips(arguments.data), load_split(arguments.data / SPLIT_FILE)
    choose(data, split, open_portraits(_portraits(arguments)), arguments.run, _device(arguments))


def _portraits(arguments: argparse.Namespace) -> Path:
    if arguments.portraits is None:
        raise ValueError("the config `pretrained` needs --portraits: what `prepare-portraits` wrote")
    return Path(arguments.portraits)


def _change(change: str) -> tuple[str, Any]:
    field, _, value = change.partition("=")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        raise ValueError(f"--set {change}: the value is not a number, list or string in JSON") from None


def _evaluate(arguments: argparse.Namespace) -> None:
    from trainer.verifier.report import evaluate_run

    report = evaluate_run(
        _measured(arguments), arguments.run, pairs_file=arguments.pairs, fold=arguments.fold, compared=arguments.compare
    )
    print(json.dumps(report, indent=1))


def _measured(arguments: argparse.Namespace) -> Any:
    from trainer.verifier.report import Measured

    threads = _threads(arguments)
    return Measured(arguments.data, arguments.portraits, threads, arguments.per_class, arguments.fewest)


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
    record = calibrate_run(_measured(arguments), arguments.run, max_far=arguments.max_far)
    long = dict.fromkeys(("table",), "...")
    print(json.dumps({**record, "calibration": {**record["calibration"], **long}}, indent=1))


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


VERBS = {
    "prepare": _prepare,
    "prepare_portraits": _prepare_portraits,
    "train": _train,
    "choose": _choose,
    "calibrate": _calibrate,
    "evaluate": _evaluate,
    "view2": _view2,
    "export": _export,
    "publish": _publish,
}
