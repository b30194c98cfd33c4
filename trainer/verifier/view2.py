"""LFW's View 2: ten runs, each trained without one fold's people, as one figure with its standard error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.verifier.report import EVALUATION


def summarise(runs: Sequence[Path]) -> dict[str, Any]:
    """Mean accuracy over folds ± standard error of that mean (Huang et al. 2007, section 6).

    Raises ValueError when a run was not evaluated on a fold, or two runs on the same one.
    """
    accuracies: dict[str, float] = {}
    for run in runs:
        report = json.loads((run / EVALUATION).read_text())
        folds = [key for key in report if "-fold" in key]
        if len(folds) != 1:
            raise ValueError(f"{run.name} was not evaluated with --pairs and --fold")
        if folds[0] in accuracies:
            raise ValueError(f"{folds[0]} is in two of the runs")
        accuracies[folds[0]] = report[folds[0]]["accuracy"]
    values = np.array(list(accuracies.values()))
    if len(values) < 2:
        raise ValueError("a mean over folds needs at least two runs")
    return {
        "folds": accuracies,
        "accuracy": round(float(values.mean()), 4),
        "accuracy_se": round(float(values.std(ddof=1) / np.sqrt(len(values))), 4),
    }
