"""What `evaluate` and `calibrate` write into a run's folder, and `export` reads back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from trainer.verifier.calibrate import calibration_record, fit_platt, rates_table, threshold_for
from trainer.verifier.chips import SPLIT_FILE, open_chips
from trainer.verifier.evaluate import by_condition, cross_fitted, on_pairs_file
from trainer.verifier.export import CALIBRATION, EVALUATION
from trainer.verifier.lfw import read_pairs
from trainer.verifier.protocol import IMPOSTORS, PAIRS_PER_CLASS, held_out_scores, joined
from trainer.verifier.quality_limits import limits_record, measure_limits
from trainer.verifier.scoring import best_threshold
from trainer.verifier.sheet import write_mistakes
from trainer.verifier.split import load_split, refuse_shared_people
from trainer.verifier.trunk import load_embedder, people_trained_on

MISTAKES = "mistakes.png"


def evaluate_run(
    data_folder: Path,
    run: Path,
    device: torch.device,
    threads: int,
    *,
    pairs_file: Path | None = None,
    fold: int | None = None,
    compared: Sequence[Path] = (),
    per_class: int = PAIRS_PER_CLASS,
    impostors: int = IMPOSTORS,
) -> dict[str, Any]:
    """Writes `evaluation.json` and `mistakes.png`. Raises PeopleCrossSplit when the run saw a held-out person."""
    data, split = open_chips(data_folder), load_split(data_folder / SPLIT_FILE)
    embedder = load_embedder(run, device, threads)
    trained = people_trained_on(run)
    refuse_shared_people(trained, split.held_out, f"the people {run.name} was trained on and the held-out people")
    first, second = held_out_scores(data, split, embedder, per_class, impostors)
    both = joined(first, second)
    threshold, _ = best_threshold(both.similarity, both.same)
    report: dict[str, Any] = {
        "split": {
            "name": split.name,
            "people": {"train": len(split.train), "calibrate": len(split.calibrate), "test": len(split.test)},
        },
        "held_out": cross_fitted(first, second),
        "by_condition": by_condition(data, both, threshold),
    }
    if pairs_file is not None:
        pairs = [pair for pair in read_pairs(pairs_file) if fold is None or pair.fold == fold]
        chosen, _ = best_threshold(first.similarity, first.same)
        report[pairs_file.stem if fold is None else f"{pairs_file.stem}-fold{fold}"] = on_pairs_file(
            data, embedder, pairs, chosen, trained
        )
    for other in compared:
        refuse_shared_people(people_trained_on(other), split.held_out, f"{other.name} and the held-out people")
        scores = held_out_scores(data, split, load_embedder(other, device, threads), per_class, impostors)
        report.setdefault("compared_with", {})[other.name] = cross_fitted(*scores)
    (run / EVALUATION).write_text(json.dumps(report, indent=1) + "\n")
    write_mistakes(data, both, run / MISTAKES)
    return report


def calibrate_run(
    data_folder: Path,
    run: Path,
    device: torch.device,
    threads: int,
    *,
    max_far: float,
    per_class: int = PAIRS_PER_CLASS,
    impostors: int = IMPOSTORS,
) -> dict[str, Any]:
    """Writes `calibration.json`: logistic, threshold table and quality limits from all held-out people."""
    data, split = open_chips(data_folder), load_split(data_folder / SPLIT_FILE)
    embedder = load_embedder(run, device, threads)
    refuse_shared_people(people_trained_on(run), split.held_out, "the trained and the held-out people")
    groups = held_out_scores(data, split, embedder, per_class, impostors)
    scored = joined(*groups)
    # The stricter of the two groups' thresholds: the rate must hold for people who did not choose it.
    default = max(threshold_for(rates_table(group.genuine, group.impostors), max_far).threshold for group in groups)
    table = rates_table(scored.genuine, scored.impostors)
    counts = {
        "people": len(split.held_out),
        "genuine_pairs": len(scored.genuine),
        "impostor_pairs": len(scored.impostors),
        "pairs": "LFW's recipe on held-out people",
    }
    threshold, _ = best_threshold(scored.similarity, scored.same)
    record = {
        "calibration": calibration_record(fit_platt(scored.similarity, scored.same), table, default, counts),
        "parameters": limits_record(measure_limits(data, embedder, scored, threshold), embedder.chip_side_px),
    }
    (run / CALIBRATION).write_text(json.dumps(record, indent=1) + "\n")
    return record
