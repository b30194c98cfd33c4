"""The labels of the four attributes, in the order of DeepFace's outputs, and how the public sets' labels map there."""

from __future__ import annotations

from typing import Final

GENDERS: Final = ("woman", "man")
ETHNICITIES: Final = ("asian", "indian", "black", "white", "middle_eastern", "latino_hispanic")
EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
AGES: Final = 101  # classes 0 to 100, one a year

FAIRFACE_GENDERS: Final = {"Female": "woman", "Male": "man"}
FAIRFACE_ETHNICITIES: Final = {
    "East Asian": "asian",
    "Southeast Asian": "asian",
    "Indian": "indian",
    "Black": "black",
    "White": "white",
    "Middle Eastern": "middle_eastern",
    "Latino_Hispanic": "latino_hispanic",
}
# FairFace's nine bins, first and last year included. "more than 70" is open: nearly all of it lies below 90.
FAIRFACE_AGE_BINS: Final = ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 69), (70, 100))

# UTKFace numbers genders 0 male, 1 female. Its fifth race, "other", has no counterpart and stays unlabelled.
UTKFACE_GENDERS: Final = ("man", "woman")
UTKFACE_ETHNICITIES: Final = ("white", "black", "asian", "indian", None)

UNKNOWN: Final = -1


def fairface_age_bin(text: str) -> int:
    """Index in FAIRFACE_AGE_BINS of a label such as "20-29" or "more than 70". Raises ValueError for another."""
    for index, (first, last) in enumerate(FAIRFACE_AGE_BINS[:-1]):
        if text == f"{first}-{last}":
            return index
    if text == "more than 70":
        return len(FAIRFACE_AGE_BINS) - 1
    raise ValueError(f"not a FairFace age bin: {text!r}")


def age_bin(age_years: float) -> int:
    """Index in FAIRFACE_AGE_BINS of an age; 9.6 is still in 3-9, as a birthday has to pass."""
    for index, (_, last) in enumerate(FAIRFACE_AGE_BINS):
        if age_years < last + 1:
            return index
    return len(FAIRFACE_AGE_BINS) - 1
