"""The loop keeps its budget, saves what goes on, and refuses to go on with another run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.loop import CHECKPOINT, LOG, Plan, train  # noqa: E402

pytestmark = pytest.mark.trainer


class Line:
    """Learns y = 3 x."""

    def __init__(self, name: str = "line", stop_at: int | None = None) -> None:
        torch.manual_seed(1)
        self.network: torch.nn.Module = torch.nn.Linear(1, 1)
        self.name, self.stop_at, self.calls = name, stop_at, 0

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.network.parameters()), "weight_decay": 0.0, "factor": 1.0}]

    def loss(self, rng: np.random.Generator, progress: float) -> tuple[torch.Tensor, Mapping[str, float], int]:
        assert 0 <= progress < 1
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        x = torch.from_numpy(rng.normal(0, 1, (16, 1)).astype(np.float32))
        loss = (self.network(x) - 3 * x).square().mean()
        return loss, {"loss": float(loss.detach())}, len(x)

    def validate(self, average: torch.nn.Module) -> Mapping[str, float]:
        return {"slope": float(average.weight)}

    def description(self) -> dict[str, Any]:
        return {"name": self.name}


PLAN = Plan(0.05, steps=200, ema_decay=0.9)


def test_a_run_learns_and_logs_what_it_did(tmp_path: Path) -> None:
    train(Line(), PLAN, tmp_path)
    line = json.loads((tmp_path / LOG).read_text().splitlines()[-1])
    assert line["steps"] == 200 and line["pictures"] == 3200 and line["slope"] == pytest.approx(3, abs=0.1)


def test_an_interrupted_run_goes_on_and_a_finished_one_does_not(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=51), PLAN, tmp_path)
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["clock"]["steps"] == 50
    rest = Line()
    train(rest, PLAN, tmp_path)
    assert rest.calls == 150
    again = Line()
    train(again, PLAN, tmp_path)
    assert again.calls == 0


def test_a_run_of_another_kind_is_refused(tmp_path: Path) -> None:
    train(Line(), PLAN, tmp_path)
    with pytest.raises(ValueError, match="another config"):
        train(Line("curve"), PLAN, tmp_path)


def test_the_rate_rises_shortly_and_falls_to_nearly_nothing() -> None:
    factors = [PLAN.factor(progress) for progress in (0.0, PLAN.warm_up, 0.5, 1.0)]
    assert factors[0] < 0.05 and factors[1] == pytest.approx(1, abs=0.01) and factors[3] < 0.01 < factors[2] < 0.6
