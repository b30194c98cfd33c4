"""One rule decides, on what is shown: the page's tests hold the same cases (tests/unit/frontend/decision.test.js)."""

from __future__ import annotations

import pytest

from services.common.schemas import Quality, QualityReason
from services.verifier.judge import any_false_match, rounded, verdict


def quality(*reasons: QualityReason) -> Quality:
    low = bool(set(reasons) - {"turned_away"})
    return Quality(low=low, face_size_px=90, sharpness=5, reasons=list(reasons))


GOOD, POOR, TURNED = quality(), quality("too_dark"), quality("turned_away")


@pytest.mark.parametrize(
    ("similarity", "face", "anchor", "said"),
    [
        (0.34996, GOOD, GOOD, True),
        (0.34994, GOOD, GOOD, False),
        (0.9, POOR, GOOD, None),
        (0.9, GOOD, POOR, None),
        (0.1, TURNED, GOOD, None),
        (0.1, GOOD, TURNED, None),
        (0.9, TURNED, TURNED, True),
    ],
)
def test_the_verdict_at_0_35(similarity: float, face: Quality, anchor: Quality, said: bool | None) -> None:
    assert verdict(rounded(similarity), 0.35, face, anchor) is said


def test_chances_of_many_faces_add_up() -> None:
    assert any_false_match(0.009, 0) == 0
    assert any_false_match(0.009, 22) == pytest.approx(0.18, abs=0.005)
