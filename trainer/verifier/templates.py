"""Several photos of a person as one template: how much surer one, two, three or five make the answer."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from trainer.verifier.chips import ChipSet
from trainer.verifier.embedding import Embedder
from trainer.verifier.protocol import embed_rows
from trainer.verifier.scoring import unit_length
from trainer.verifier.split import Split

SIZES: Final = (1, 2, 3, 5)
DRAWS: Final = 8


def template_figures(data: ChipSet, split: Split, embedder: Embedder, seed: int = 7) -> dict[str, dict[str, Any]]:
    """By template size: probes found at 1 % and 0.1 % of strangers, by the mean embedding and by the best of set.

    Held-out people with six photos and more; each draw, five are the template's, of which the first few are used, and a
    sixth is the probe. Strangers: one photo of everybody else held out. Empty where nobody has six.
    """
    by_person = data.rows_by_person(split.held_out)
    several = sorted(person for person, rows in by_person.items() if len(rows) > max(SIZES))
    if not several:
        return {}
    every = np.array(sorted(row for rows in by_person.values() for row in rows), dtype=np.int64)
    vectors = embed_rows(data, embedder, every)
    rng = np.random.default_rng(seed)
    scores: dict[tuple[int, str], tuple[list[float], list[float]]] = {
        (size, how): ([], []) for size in SIZES for how in ("mean", "best")
    }
    for person in several:
        others = np.array([rows[0] for other, rows in by_person.items() if other != person])
        for _ in range(DRAWS):
            drawn = rng.permutation(by_person[person])[: max(SIZES) + 1]
            probe, strangers = vectors[drawn[-1]], vectors[others]
            for size in SIZES:
                template = vectors[drawn[:size]]
                mean = unit_length(template.mean(axis=0, keepdims=True))[0]
                for how, genuine, impostors in (
                    ("mean", probe @ mean, strangers @ mean),
                    ("best", (template @ probe).max(), (strangers @ template.T).max(axis=1)),
                ):
                    scores[size, how][0].append(float(genuine))
                    scores[size, how][1].extend(impostors.tolist())
    figures: dict[str, dict[str, Any]] = {}
    for (size, how), (genuine, impostors) in scores.items():
        entry = figures.setdefault(str(size), {"people": len(several), "probes": len(genuine)})
        for share in (0.01, 0.001):
            found = np.array(genuine) > np.quantile(impostors, 1 - share)
            entry[f"{how}_tar_at_far_{share * 100:g}pct"] = round(float(found.mean()), 4)
    return figures
