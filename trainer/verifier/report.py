"""What `evaluate` and `calibrate` write into a run's folder, and `export` reads back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.verifier.calibration import fit_platt
from trainer.verifier.by_quality import by_quality
from trainer.verifier.calibrate import calibration_record, rates_table
from trainer.verifier.chips import SPLIT_FILE, open_chips
from trainer.verifier.evaluate import (
    MAX_WORST,
    by_group,
    cross_fitted,
    default_threshold,
    on_pairs_file,
    stated_and_measured,
)
from trainer.verifier.lfw import read_pairs
from trainer.verifier.portraits import open_portraits
from trainer.verifier.protocol import PAIRS_PER_CLASS, Protocol, joined
from trainer.verifier.quality_limits import limits_record, measure_limits
from trainer.verifier.scoring import best_threshold
from trainer.verifier.sheet import write_mistakes
from trainer.verifier.split import load_split, refuse_shared_people
from trainer.verifier.strangers import FEWEST_PAIRS
from trainer.verifier.templates import template_figures
from trainer.verifier.trunk import load_embedder, people_trained_on

CALIBRATION: Final = "calibration.json"
EVALUATION: Final = "evaluation.json"
MISTAKES: Final = "mistakes.png"


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured, on what: the chip set, the portraits beside it (None: no figures by group)."""

    data: Path
    portraits: Path | None
    threads: int
    per_class: int = PAIRS_PER_CLASS
    fewest: int = FEWEST_PAIRS

    def protocol(self) -> Protocol:
        data = open_chips(self.data)
        portraits = open_portraits(self.portraits) if self.portraits else None
        return Protocol(data, load_split(self.data / SPLIT_FILE), portraits, self.per_class, self.fewest)


def evaluate_run(
    on: Measured,
    run: Path,
    *,
    pairs_file: Path | None = None,
    fold: int | None = None,
    compared: Sequence[Path] = (),
) -> dict[str, Any]:
    """Writes `evaluation.json` and `mistakes.png`. Raises PeopleCrossSplit when the run saw a held-out person."""
    protocol = on.protocol()
    data, split = protocol.data, protocol.split
    embedder = load_embedder(run, on.threads)
    trained = people_trained_on(run)
    refuse_shared_people(trained, split.held_out, f"the people {run.name} was trained on and the held-out people")
    first, second = protocol.score(embedder)
    both = joined(first, second)
    report: dict[str, Any] = {
        "split": {
            "name": split.name,
            "people": {"train": len(split.train), "calibrate": len(split.calibrate), "test": len(split.test)},
        },
        "held_out": cross_fitted(first, second),
        "stated_and_measured": stated_and_measured(first, second),
        "templates": template_figures(data, split, embedder),
    }
    if both.alike:
        report["by_group"] = by_group(first, second)
    if pairs_file is not None:
        pairs = [pair for pair in read_pairs(pairs_file) if fold is None or pair.fold == fold]
        chosen, _ = best_threshold(first.similarity, first.same)
        report[pairs_file.stem if fold is None else f"{pairs_file.stem}-fold{fold}"] = on_pairs_file(
            data, embedder, pairs, chosen, trained
        )
    for other in compared:
        if not (other / EVALUATION).is_file():
            raise FileNotFoundError(f"{other} holds no {EVALUATION}: run `evaluate` on it first, with the same data")
        report.setdefault("compared_with", {})[other.name] = json.loads((other / EVALUATION).read_text())["held_out"]
    (run / EVALUATION).write_text(json.dumps(report, indent=1) + "\n")
    write_mistakes(data, both, run / MISTAKES)
    return report


def calibrate_run(on: Measured, run: Path, *, max_far: float) -> dict[str, Any]:
    """Writes `calibration.json`: logistic, threshold table and quality limits, from all that is held out."""
    protocol = on.protocol()
    data, split = protocol.data, protocol.split
    embedder = load_embedder(run, on.threads)
    refuse_shared_people(people_trained_on(run), split.held_out, "the trained and the held-out people")
    halves = protocol.score(embedder)
    scored = joined(*halves)
    table = rates_table(scored)
    # The strictest of the halves' thresholds and their own: the rate must hold for people who did not choose it.
    default = max(default_threshold(half, max_far) for half in halves)
    row = max(table.at(max_far, MAX_WORST), int((table.threshold < default - 1e-9).sum()))
    threshold, clean = best_threshold(scored.similarity, scored.same)
    figures = by_quality(data, embedder, scored, threshold, float(table.threshold[row]))
    limits = measure_limits(data, scored, figures, clean)
    platt = fit_platt(scored.similarity, scored.same)
    record = {
        "calibration": calibration_record(platt, table, row, scored, len(split.held_out)),
        "parameters": limits_record(limits, figures, embedder.chip_side_px),
        "by_quality": figures,
    }
    (run / CALIBRATION).write_text(json.dumps(record, indent=1) + "\n")
    return record
