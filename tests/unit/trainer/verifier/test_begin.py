"""The learned head's least squares, and what weighing groups does to strangers of one group."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half needs torch")

from trainer.verifier import begin  # noqa: E402
from trainer.verifier.groups import weighing  # noqa: E402
from trainer.verifier.scoring import unit_length  # noqa: E402

pytestmark = pytest.mark.trainer


def test_least_squares_finds_a_linear_rule_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin, "RIDGE", 1e-4)
    torch.manual_seed(1)
    rule, fit = torch.randn(5, 12), begin.LeastSquares()
    for _ in range(40):
        features = torch.randn(64, 12) * 3 + 1
        fit.add(features, features @ rule.t() + 2)
    weight, bias = fit.solve()
    torch.testing.assert_close(weight, rule, atol=2e-3, rtol=0)
    torch.testing.assert_close(bias, torch.full((5,), 2.0), atol=2e-2, rtol=0)


def test_a_feature_that_was_silent_at_first_does_not_spoil_the_fit() -> None:
    torch.manual_seed(1)
    rule, fit = torch.randn(3, 12), begin.LeastSquares()
    for batch in range(60):
        features = torch.randn(64, 12)
        features[:, 0] = features[:, 0] if batch > 40 else 0.0
        fit.add(features, features @ rule.t())
    weight, _ = fit.solve()
    assert torch.nn.functional.cosine_similarity(weight[:, 1:], rule[:, 1:]).min() > 0.99


def test_weighing_groups_brings_strangers_of_a_group_apart() -> None:
    rng = np.random.default_rng(1)
    groups = ["a", "b", "c", "d"] * 100
    directions = rng.normal(0, 1, (4, 32))
    answers = (rng.normal(0, 1, (400, 32)) + 3 * directions[np.arange(400) % 4] + 5).astype(np.float32)

    def alike(vectors: np.ndarray) -> float:
        cosines = unit_length(vectors[::4]) @ unit_length(vectors[::4]).T
        return float(cosines[np.triu_indices(100, 1)].mean())

    centred, shortened = (weighing(answers, groups, share).of(answers) for share in (1.0, 0.2))
    assert alike(answers) > alike(centred) > alike(shortened)
    layer = torch.nn.Linear(8, 32)
    given = rng.normal(0, 1, (5, 8)).astype(np.float32)
    plain = layer(torch.from_numpy(given)).detach().numpy()
    change = weighing(answers, groups, 0.5)
    layer.load_state_dict(
        {
            name[5:]: value
            for name, value in change.folded({f"head.{k}": v for k, v in layer.state_dict().items()}, "head").items()
        }
    )
    np.testing.assert_allclose(layer(torch.from_numpy(given)).detach().numpy(), change.of(plain), atol=1e-4)
