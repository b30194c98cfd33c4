"""Whether the door's check and the workers' decoder say the same of a photo."""

from __future__ import annotations

import random
import resource
import warnings
from collections import Counter
from dataclasses import dataclass, field

from services.common.errors import FacekitError
from services.common.photos.imaging import check, decode
from tests.fuzz.mutants import mutant
from tests.fuzz.seeds import seeds

MAX_PIXELS = 1_000_000


@dataclass
class Tally:
    """`disagreements` are photos of which door and worker say different things, `peak_mb` the process's memory."""

    inputs: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    disagreements: list[tuple[bytes, str, str]] = field(default_factory=list)
    peak_mb: int = 0


def answers(photo: bytes, max_pixels: int = MAX_PIXELS) -> tuple[str, str]:
    """Door's and worker's: `accepted WIDTHxHEIGHT`, or `refused CODE`. Whatever else is raised is a finding."""
    said = []
    for read in (_door, _worker):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said.append("accepted {}x{}".format(*read(photo, max_pixels)))
        except FacekitError as error:
            said.append(f"refused {error.code}")
        except Exception as error:
            said.append(f"raised {error!r}")
    return said[0], said[1]


def _door(photo: bytes, max_pixels: int) -> tuple[int, int]:
    info = check(photo, max_pixels)
    return info.width_px, info.height_px


def _worker(photo: bytes, max_pixels: int) -> tuple[int, int]:
    height, width, _ = decode(photo, max_pixels).shape
    return width, height


def fuzz(name: str, inputs: int, seed: int) -> Tally:
    """`inputs` changed photos of the format, the same ones for the same seed."""
    tally, chance, honest = Tally(), random.Random(f"{name} {seed}"), seeds()[name]
    for _ in range(inputs):
        photo = mutant(chance.choice(honest), name, chance)
        door, worker = answers(photo)
        tally.inputs += 1
        if door != worker or door.startswith("raised"):
            tally.disagreements.append((photo, door, worker))
        elif door.startswith("accepted"):
            tally.accepted += 1
        else:
            tally.refused[door.removeprefix("refused ")] += 1
    tally.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return tally
