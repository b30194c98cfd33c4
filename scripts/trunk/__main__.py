"""Puts a face network of yours in place of the shipped verifier's: fed as suits it, measured, calibrated, bundled.

`python -m scripts.trunk install FILE.onnx --pairs FOLDER` wants an ONNX file that makes one vector of an aligned face,
and a folder with a folder a person, two photos and more in each, of people the network was not trained on. Nothing of
it needs PyTorch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scripts.trunk.measured import Calibration, best_feeding, calibrate
from scripts.trunk.network import Feeding, Network, NotAFaceNetwork
from scripts.trunk.people import TooFewPeople, open_people
from services.common.bootstrap import build_store
from services.common.errors import FacekitError
from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import Bundle, golden_case, load_bundle, replay_golden, write_bundle
from services.common.inference.registry import publish_bundle
from services.common.settings import load_settings
from services.verifier.model import FaceVerifier
from services.verifier.stage import VerifierStage

SHIPPED = VerifierStage.bundle_folders["verifier"]
CARD = """\
# {label}

A face network that was brought by whoever runs this server: `{file}`. facekit did not train it.

- **Trained on** {trained_on}
- **Licence** {licence}
- **Fed with** {feeding}

Calibrated on half of the people of a folder, measured on the other half ({people} people, {genuine_pairs} pairs of one
person, {impostor_pairs} pairs of two): accuracy {accuracy:.3f}; at 1 % false accepts {tar:.1%} of true pairs are found.
The default threshold {default:.3f}, chosen for 1 % false accepts, let {far:.2%} through there and missed {frr:.1%}. All
pairs of two people count here, not only those who look alike: expect more false accepts among people who do.
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m scripts.trunk", description=__doc__)
    install = top.add_subparsers(dest="verb", required=True).add_parser(
        "install", help="measure, calibrate, put in place"
    )
    install.add_argument("onnx", type=Path, help="one picture of an aligned face in, one vector out")
    install.add_argument(
        "--pairs", type=Path, required=True, metavar="FOLDER", help="a folder a person, photos in each"
    )
    install.add_argument("--name", default="own-trunk", help="name of the bundle")
    install.add_argument("--version", default="1", help="version of the bundle; a published one needs a new version")
    install.add_argument("--trained-on", default="not told", help="for the model card")
    install.add_argument("--licence", default="not told", help="for the model card")
    place = install.add_mutually_exclusive_group()
    place.add_argument("--out", type=Path, metavar="FOLDER", help="write the bundle to FOLDER/verifier alone")
    place.add_argument("--publish", action="store_true", help="to the registry: running workers that follow it swap")
    return top


def bundled(arguments: argparse.Namespace, feeding: Feeding, found: Calibration, folder: Path, threads: int) -> Bundle:
    """Writes the bundle and replays its golden answers in the verifier that serves. Raises GoldenMismatch."""
    shipped = load_bundle(SHIPPED)
    limits = {name: value for name, value in shipped.meta.parameters.items() if name.startswith(("min_", "max_"))}
    meta: dict[str, Any] = {
        "task": "verifier",
        "name": arguments.name,
        "version": arguments.version,
        "input": feeding.spec.model_dump(mode="json"),
        "parameters": {**limits, "chip_side_px": feeding.chip_side_px},
        "calibration": {
            "slope": found.platt.slope,
            "intercept": found.platt.intercept,
            "default_threshold": found.default_threshold,
            "table": found.table,
        },
        "metrics": {"held_out": found.measured},
        "trained_on": arguments.trained_on,
        "licence": arguments.licence,
    }
    measured = found.measured
    card = CARD.format(
        label=f"{arguments.name}@{arguments.version}",
        file=arguments.onnx.name,
        trained_on=arguments.trained_on,
        licence=arguments.licence,
        feeding=feeding,
        tar=measured["tar_at_far_1pct"],
        default=found.default_threshold,
        far=measured["far_at_default"],
        frr=measured["frr_at_default"],
        **{name: measured[name] for name in ("people", "genuine_pairs", "impostor_pairs", "accuracy")},
    )
    network = Network(arguments.onnx, threads)
    rng = np.random.default_rng(3)
    chips = rng.integers(0, 256, (2, CHIP_SIZE_PX, CHIP_SIZE_PX, 3)).astype(np.uint8)
    golden = [
        golden_case(f"noise {number}", chip, {"embedding": network.embed(chip[None], feeding)[0]})
        for number, chip in enumerate(chips)
    ]
    bundle = write_bundle(folder, onnx=arguments.onnx.read_bytes(), meta=meta, golden=golden, card=card)
    replay_golden(bundle, FaceVerifier(bundle, threads).replay)
    return bundle


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    settings = load_settings()
    root = arguments.out or settings.bundles or settings.state / "bundles"
    try:
        network = Network(arguments.onnx, settings.threads)
        people = open_people(arguments.pairs, settings)
        feeding = best_feeding(network, people.half(0))
        print(f"fed with {feeding}")
        found = calibrate(network, feeding, people)
        for name, figure in found.measured.items():
            print(f"{name:20} {figure}")
        bundle = bundled(arguments, feeding, found, root / "verifier", settings.threads)
        if arguments.publish:
            print(f"published {publish_bundle(build_store(settings), bundle)}")
        else:
            print(f"{bundle.meta.label} is in {bundle.folder}; it serves with FACEKIT_BUNDLES={root}")
    except (NotAFaceNetwork, TooFewPeople, FacekitError, ValueError, OSError) as error:
        print(f"trunk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
