"""The card's picture: what each kind of poor picture costs, in accuracy and in true pairs found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from trainer.verifier.by_quality import Figures

COLUMNS: Final = 3


def plot_quality(figures: Figures, words: dict[str, str], path: Path) -> None:
    """One small diagram a measure, its steps from left to right as they were taken."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = -(-len(figures) // COLUMNS)
    figure, grid = pyplot.subplots(rows, COLUMNS, figsize=(3.2 * COLUMNS, 2.4 * rows), sharey=True, squeeze=False)
    for place, (measure, steps) in zip(grid.flat, figures.items(), strict=False):
        _lines(place, steps)
        place.set_xlabel(words[measure], fontsize=8)
    for place in grid.flat[len(figures) :]:
        place.set_visible(False)
    grid[0][0].legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _lines(place: Any, steps: dict[str, Any]) -> None:
    at = range(len(steps))
    place.plot(at, [step["accuracy"] for step in steps.values()], "o-", markersize=3, label="accuracy")
    place.plot(at, [step["found"] for step in steps.values()], "s--", markersize=3, label="found at the default")
    place.set_xticks(list(at), list(steps), fontsize=6)
    place.tick_params(axis="y", labelsize=7)
    place.set_ylim(0, 1.02)
    place.grid(alpha=0.3)
