"""View 2's figure is a mean over folds, each once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training half needs torch")

from trainer.verifier.view2 import summarise


def evaluated(root: Path, name: str, fold: str, accuracy: float) -> Path:
    run = root / name
    run.mkdir()
    (run / "evaluation.json").write_text(json.dumps({"held_out": {}, fold: {"accuracy": accuracy}}))
    return run


def test_mean_and_standard_error(tmp_path: Path) -> None:
    runs = [evaluated(tmp_path, f"r{i}", f"pairs-fold{i}", value) for i, value in enumerate((0.8, 0.9, 1.0))]
    assert summarise(runs)["accuracy"] == 0.9
    assert summarise(runs)["accuracy_se"] == pytest.approx(0.0577, abs=1e-4)


def test_a_fold_twice_or_not_at_all_is_refused(tmp_path: Path) -> None:
    first, again = (evaluated(tmp_path, name, "pairs-fold0", 0.8) for name in ("a", "b"))
    with pytest.raises(ValueError, match="two of the runs"):
        summarise([first, again])
    with pytest.raises(ValueError, match="not evaluated"):
        summarise([first, evaluated(tmp_path, "c", "pairs", 0.8)])
