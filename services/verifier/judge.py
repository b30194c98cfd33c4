"""The one rule that makes a verdict of a similarity: the page follows the same when its threshold is moved.

Similarities and thresholds are rounded before they are compared, as they are shown: what reads 0.35 at a threshold of
0.35 is a match everywhere.
"""

from __future__ import annotations

from typing import Final

from services.common.schemas import Quality

DIGITS: Final = 4  # of similarities and thresholds
SUREST: Final = 0.9999  # no photo makes anybody surer


def rounded(similarity: float) -> float:
    return round(float(similarity), DIGITS)


def verdict(similarity: float, threshold: float, face: Quality, anchor: Quality) -> bool | None:
    """Match, no match, or None: nobody can say. The similarity is rounded already.

    None where either face is too poor, and in place of a "no" where either is turned away: a profile resembles nobody.
    """
    if face.low or anchor.low:
        return None
    if similarity >= threshold:
        return True
    turned = "turned_away" in face.reasons or "turned_away" in anchor.reasons
    return None if turned else False


def any_false_match(far: float, faces: int) -> float:
    """The chance that at least one of so many strangers is accepted, each with the probability `far`."""
    return 1 - (1 - far) ** faces
