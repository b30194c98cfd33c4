"""The verbs of `python -m trainer verifier` and their options."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT_LICENCE = "AGPL-3.0-or-later; trained on LFW, which is for research use"
DEFAULT_TRAINED_ON = (
    "Labeled Faces in the Wild (deepfunneled), the people of the training group only; aligned by facekit's own detector"
)
CONFIGS = ("pretrained", "margin", "contrastive")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m trainer verifier", description="The siamese verifier.")
    verbs = made.add_subparsers(required=True, metavar="verb")

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
    verb.set_defaults(verb="prepare")

    verb = verbs.add_parser("prepare-portraits", help="FairFace and UTKFace → aligned chips with labels, part held out")
    verb.add_argument("--fairface", type=Path, required=True, help="folder with fairface_label_train.csv and train/")
    verb.add_argument("--utkface", type=Path, help="folder of AGE_GENDER_RACE_DATETIME.* pictures")
    verb.add_argument("--exclude", type=Path, help="file of UTKFace names, one a line, never to be used")
    verb.add_argument("--portraits", type=Path, required=True, help="folder to write")
    verb.add_argument("--detector", type=Path, help="detector bundle (default: the one shipped with the source)")
    verb.add_argument("--threads", type=int, default=0, help="CPU threads of the detector (default: all)")
    verb.add_argument("--held-out", type=int, default=10_000, help="FairFace faces to measure by, not to train on")
    verb.add_argument("--seed", type=int, default=7)
    verb.set_defaults(verb="prepare_portraits")

    verb = verbs.add_parser("train", help="train a tower; resumes where it stopped")
    _data_and_run(verb)
    verb.add_argument("--device", default="auto", help="auto, cpu or cuda")
    verb.add_argument("--config", choices=CONFIGS, default="pretrained")
    verb.add_argument("--hours", type=float, default=1.0, help="budget in all, resumed parts included")
    verb.add_argument("--steps", type=int, help="a budget in steps in place of hours")
    verb.add_argument("--pretrained", type=Path, help="dlib's weights (default: the package's)")
    verb.add_argument("--sface", type=Path, help="SFace's weights (default: the package's)")
    verb.add_argument("--init", type=Path, help="checkpoint of another `pretrained` run to begin from")
    verb.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of the config")
    verb.set_defaults(verb="train")

    verb = verbs.add_parser("choose", help="a `pretrained` run's weights, between its start and its end; train does it")
    _data_and_run(verb)
    verb.add_argument("--device", default="auto", help="auto, cpu or cuda")
    verb.set_defaults(verb="choose")

    verb = verbs.add_parser("evaluate", help="figures on held-out people, and the worst mistakes as a picture")
    _data_and_run(verb)
    _protocol(verb)
    verb.add_argument("--pairs", type=Path, help="also score a pairs file: pairsDevTest.txt, or pairs.txt with --fold")
    verb.add_argument("--fold", type=int, help="View 2: the fold this run was trained without, from 0")
    verb.add_argument("--compare", type=Path, action="append", default=[], help="another evaluated run, to show beside")
    verb.set_defaults(verb="evaluate")

    verb = verbs.add_parser("view2", help="mean and standard error over the runs of View 2's folds")
    verb.add_argument("runs", type=Path, nargs="+", help="runs evaluated with --pairs pairs.txt --fold K")
    verb.set_defaults(verb="view2")

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
    _protocol(verb)
    verb.add_argument("--max-far", type=float, default=0.01, help="false accepts at the default threshold")
    verb.set_defaults(verb="calibrate")

    verb = verbs.add_parser("export", help="a calibrated and evaluated run → a model bundle")
    verb.add_argument("--run", type=Path, required=True)
    verb.add_argument("--out", type=Path, required=True, help="bundle folder, e.g. services/verifier/model")
    verb.add_argument("--name", default="facekit-siamese")
    verb.add_argument("--version", required=True, help="e.g. 2026.11.1")
    verb.add_argument("--licence", default=DEFAULT_LICENCE)
    verb.add_argument("--trained-on", default=DEFAULT_TRAINED_ON)
    verb.set_defaults(verb="export")

    verb = verbs.add_parser("publish", help="a bundle → the object store's registry, where workers pick it up")
    verb.add_argument("bundle", type=Path)
    verb.set_defaults(verb="publish")
    return made


def _protocol(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--per-class", type=int, default=300, help="genuine pairs of each half of the held-out people")
    verb.add_argument("--fewest", type=int, default=1000, help="pairs of portraits that a group must have to be judged")


def _data_and_run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, required=True, help="chip set that `prepare` wrote")
    verb.add_argument("--run", type=Path, required=True, help="folder of this run")
    verb.add_argument("--portraits", type=Path, help="what `prepare-portraits` wrote: look-alikes, figures by group")
    verb.add_argument("--threads", type=int, default=0, help="CPU threads (default: torch's own choice)")
