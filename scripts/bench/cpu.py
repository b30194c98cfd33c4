"""Where the processor time of a benchmark goes: core milliseconds an image, by process.

Unlike images per second, these hardly change with whatever else the machine does.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from scripts.bench.proc import cpu_s

CLIENT = "client"
DETECTOR = "detector"
WHOLE = "whole stack"


def cpu_now_s(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of processor time so far, of each named process and of this one, which is the client.

    A process that /proc does not know (it ended, or there is no /proc) is left out.
    """
    spent = {name: seconds for name, pid in pids.items() if (seconds := cpu_s(pid)) is not None}
    return {**spent, CLIENT: time.process_time()}


def per_image_ms(before: Mapping[str, float], after: Mapping[str, float], images: int) -> dict[str, float]:
    """Milliseconds an image between two readings, by process, and their sum. Processes that were not there at both
    are left out."""
    spent = {name: (after[name] - before[name]) * 1000 / images for name in before if name in after}
    return {**spent, WHOLE: sum(spent.values())}


def around_model_ms(spent_ms: Mapping[str, float], model_ms: float) -> dict[str, float]:
    """What `per_image_ms` found, without the model's own share of the detector: what an image costs around it."""
    around = {
        name: spent - (model_ms if name == DETECTOR else 0.0) for name, spent in spent_ms.items() if name != WHOLE
    }
    return {**around, WHOLE: sum(around.values())}


def medians_ms(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each process over the rounds that have it."""
    names = dict.fromkeys(name for measured in rounds for name in measured)
    return {name: round(statistics.median(part[name] for part in rounds if name in part), 1) for name in names}
