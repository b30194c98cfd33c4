"""How good a verifier is on people it never saw: accuracy, ROC, error rates, calibration, and by group of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.verifier.calibration import fit_platt
from trainer.verifier.calibrate import rates_table
from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.lfw import NamedPair
from trainer.verifier.pairs import Pairs, named_pairs
from trainer.verifier.protocol import Scored, embed_rows, joined
from trainer.verifier.scoring import (
    accuracy,
    best_threshold,
    calibration_error,
    equal_error_rate,
    roc_curve,
)
from trainer.verifier.split import refuse_shared_people

DEFAULT_MAX_FAR: Final = 0.01
MAX_WORST: Final = 0.025  # of strangers in any group, at the default: some room below the 3 % that are promised
STATED: Final = (0.05, 0.01, 0.005, 0.001)


def cross_fitted(first: Scored, second: Scored) -> dict[str, Any]:
    """Figures over both halves; every threshold and probability applied to a half was chosen on the other."""
    right, probabilities, labels = [], [], []
    for chosen_on, measured_on in ((first, second), (second, first)):
        threshold, _ = best_threshold(chosen_on.similarity, chosen_on.same)
        right.append((measured_on.similarity >= threshold) == measured_on.same)
        probabilities.append(fit_platt(chosen_on.similarity, chosen_on.same).probability(measured_on.similarity))
        labels.append(measured_on.same)
    correct = np.concatenate(right)
    return {
        "pairs": len(correct),
        "accuracy": _rounded(correct.mean()),
        "accuracy_se": _rounded(np.sqrt(correct.mean() * (1 - correct.mean()) / len(correct))),
        "ece": _rounded(calibration_error(np.concatenate(probabilities), np.concatenate(labels))),
        **curve_figures(joined(first, second)),
    }


def curve_figures(scored: Scored) -> dict[str, Any]:
    """Figures that choose no threshold beforehand; low false-accept rates are read off the many pairs of strangers."""
    figures: dict[str, Any] = {
        "roc_auc": _rounded(roc_curve(scored.similarity, scored.same).area),
        "eer": _rounded(equal_error_rate(scored.similarity, scored.same)),
        "impostor_pairs": len(scored.impostors),
    }
    for share in (0.01, 0.001, 0.0001):
        figures[f"tar_at_far_{share * 100:g}pct"] = _rounded(_found(scored.genuine, scored.impostors, share))
    if scored.alike:
        table = rates_table(scored)
        figures["alike_pairs"] = sum(len(group.scores) for group in scored.alike.values())
        figures["tar_at_far_1pct_alike"] = _rounded(1 - table.frr[table.at(0.01)])
        figures["tar_at_worst_group_3pct"] = _rounded(1 - table.frr[table.at(1.0, 0.03)])
    return figures


def stated_and_measured(first: Scored, second: Scored) -> dict[str, dict[str, float]]:
    """For each stated false-accept rate: what is measured on the half that did not choose the threshold, mean of both
    ways. `alike` where there are portraits, `any` always."""
    kinds = {"any": True, **({"alike": False} if first.alike else {})}
    figures: dict[str, dict[str, float]] = {}
    for kind, of_any in kinds.items():
        for stated in STATED:
            measured = []
            for chosen_on, measured_on in ((first, second), (second, first)):
                chosen, other = rates_table(chosen_on), rates_table(measured_on)
                threshold = chosen.threshold[chosen.at(stated, of_any=of_any)]
                measured.append(np.interp(threshold, other.threshold, other.far_any if of_any else other.far))
            figures.setdefault(kind, {})[f"{stated * 100:g}%"] = round(float(np.mean(measured)), 6)
    return figures


def by_group(first: Scored, second: Scored) -> dict[str, Any]:
    """False accepts of strangers who look alike at a default threshold that the other half chose, by group, with 95 %
    intervals; and the worst group's ratio to all strangers and to the mean of the groups."""
    groups: dict[str, dict[str, Any]] = {}
    thresholds = []
    overall, everyone = [], []
    for chosen_on, measured_on in ((first, second), (second, first)):
        threshold = default_threshold(chosen_on, DEFAULT_MAX_FAR)
        thresholds.append(threshold)
        overall.append(np.mean([group.false_accepts(threshold) for group in measured_on.alike.values()]))
        everyone.append(float((measured_on.impostors >= threshold).mean()))
        for name, group in measured_on.alike.items():
            low, high = group.interval(threshold)
            entry = groups.setdefault(name, {"pairs": 0, "far": [], "low": [], "high": []})
            entry["pairs"] += len(group.scores)
            for key, value in (("far", group.false_accepts(threshold)), ("low", low), ("high", high)):
                entry[key].append(value)
    for entry in groups.values():
        far = float(np.mean(entry["far"]))
        # Two halves of independent faces: the mean's interval is narrower by the square root of two.
        half = float(np.mean(np.subtract(entry["high"], entry["low"]))) / 2 / np.sqrt(len(entry["far"]))
        entry.update(far=round(far, 5), low=round(max(far - half, 0.0), 5), high=round(far + half, 5))
    worst = max(groups, key=lambda name: groups[name]["far"])
    return {
        "thresholds": [round(value, 4) for value in thresholds],
        "groups": groups,
        "mean": round(float(np.mean(overall)), 5),
        "all_strangers": round(float(np.mean(everyone)), 6),
        "worst": worst,
        "worst_to_mean": round(groups[worst]["far"] / max(float(np.mean(overall)), 1e-9), 2),
    }


def default_threshold(scored: Scored, max_far: float) -> float:
    """The lowest with at most `max_far` of strangers who look alike accepted, and at most MAX_WORST in any group."""
    table = rates_table(scored)
    return float(table.threshold[table.at(max_far, MAX_WORST)])


def on_pairs_file(
    data: ChipSet, embedder: Embedder, pairs: Sequence[NamedPair], threshold: float, trained: Sequence[str]
) -> dict[str, Any]:
    """A pairs file (View 1's `pairsDevTest`, a fold of View 2) at a threshold chosen elsewhere.

    Raises PeopleCrossSplit when a pair shows someone the network was trained on.
    """
    people = {name for pair in pairs for name in (pair.first[0], pair.second[0])}
    refuse_shared_people(trained, people, "the trained people and the pairs file")
    found, missing = named_pairs(pairs, data.row_of())
    similarity = _similarity(data, embedder, found)
    correct = accuracy(similarity, found.same, threshold)
    return {
        "pairs": len(found),
        "pairs_without_photos": missing,
        "accuracy": _rounded(correct),
        "accuracy_se": _rounded(np.sqrt(correct * (1 - correct) / len(found))),
        "roc_auc": _rounded(roc_curve(similarity, found.same).area),
        "eer": _rounded(equal_error_rate(similarity, found.same)),
    }


def _similarity(data: ChipSet, embedder: Embedder, pairs: Pairs) -> NDArray[np.float32]:
    rows = np.unique(np.concatenate([pairs.first, pairs.second]))
    return pairs.similarities(embed_rows(data, embedder, rows))


def _found(genuine: NDArray[np.float32], strangers: NDArray[np.float32], share: float) -> float:
    """Share of genuine pairs above the threshold that `share` of the strangers (sorted) pass."""
    return float((genuine > np.quantile(strangers, 1 - share)).mean())


def _rounded(value: Any) -> float:
    return round(float(value), 4)
