"""`evaluate`: figures of the four graphs on held-out faces, as served: through ONNX, from chips, by group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.analyzer.framing import FACE_WINDOW
from trainer.attributes.as_served import ServedGraph, answer_faces
from trainer.attributes.emotion import EmotionSet
from trainer.attributes.faces import FaceSet
from trainer.attributes.labels import EMOTIONS, ETHNICITIES, FAIRFACE_AGE_BINS, GENDERS, UNKNOWN, age_bin

Figures = dict[str, Any]
# Bins of FAIRFACE_AGE_BINS that a group's table joins, so that a row has faces enough to mean something.
AGE_BANDS: Final = {"0-19": (0, 3), "20-49": (3, 6), "50 and over": (6, 9)}
SMALL_FACE_PX: Final = 32
HARDER_EVERY: Final = 4  # of FairFace's held-out faces, those judged in grey and small: it doubles the time


def evaluate_faces(graphs: Mapping[str, ServedGraph], data: Path) -> dict[str, Figures]:
    """Figures of "age", "gender" and "ethnicity" on the held-out faces of FairFace and UTKFace."""
    faces = FaceSet(data)
    rows = np.flatnonzero(faces.held_out)
    labels = {name: values[rows] for name, values in faces.rows.items()}
    chips = np.asarray(faces.chips[rows])
    answers = answer_faces(graphs, chips)
    fairface, utkface = labels["source"] == "fairface", labels["source"] == "utkface"
    years = answers["age"] @ np.arange(answers["age"].shape[1])
    bins = np.array([age_bin(year) for year in years])
    gender_right = answers["gender"].argmax(axis=1) == labels["gender"]
    ethnicity_right = answers["ethnicity"].argmax(axis=1) == labels["ethnicity"]
    near = np.abs(bins - labels["age_bin"]) <= 1
    error = np.abs(years - labels["age_years"])
    right = {"gender": gender_right, "ethnicity": ethnicity_right, "age_bin_or_neighbour": near}
    judged_harder = np.flatnonzero(fairface)[::HARDER_EVERY]
    harder = _harder(graphs, chips[judged_harder])
    harder_labels = {name: values[judged_harder] for name, values in labels.items()}
    return {
        "age": {
            "mean_absolute_error_years": _mean(error[utkface]),
            "mean_absolute_error_by_age": _age_errors(error[utkface], labels["age_years"][utkface]),
            "bin_or_neighbour": _mean(near[fairface]),
            "bin": _mean((bins == labels["age_bin"])[fairface]),
            "confusion": _confusion(labels["age_bin"][fairface], bins[fairface], len(FAIRFACE_AGE_BINS)),
            "spread_holds": _mean((error <= _spread(answers["age"], years))[utkface]),
            "held_out": {"fairface": int(fairface.sum()), "utkface": int(utkface.sum())},
            "by_group": _by_group(right["age_bin_or_neighbour"], labels, fairface),
            "harder": {
                name: _mean(
                    np.abs(_bins(answer["age"]) - harder_labels["age_bin"]) <= 1,
                )
                for name, answer in harder.items()
            },
        },
        "gender": {
            "accuracy": _mean(gender_right),
            "accuracy_fairface": _mean(gender_right[fairface]),
            "accuracy_utkface": _mean(gender_right[utkface]),
            "confusion": _confusion(labels["gender"], answers["gender"].argmax(axis=1), len(GENDERS)),
            "held_out": {"fairface": int(fairface.sum()), "utkface": int(utkface.sum())},
            "by_group": _by_group(gender_right, labels, fairface),
            "harder": {
                name: _mean(answer["gender"].argmax(axis=1) == harder_labels["gender"])
                for name, answer in harder.items()
            },
        },
        "ethnicity": {
            "accuracy": _mean(ethnicity_right[fairface]),
            "accuracy_utkface_four": _mean(ethnicity_right[utkface & (labels["ethnicity"] != UNKNOWN)]),
            "confusion": _confusion(
                labels["ethnicity"][fairface], answers["ethnicity"].argmax(axis=1)[fairface], len(ETHNICITIES)
            ),
            "held_out": {"fairface": int(fairface.sum())},
            "by_group": _by_group(ethnicity_right, labels, fairface),
            "harder": {
                name: _mean(answer["ethnicity"].argmax(axis=1) == harder_labels["ethnicity"])
                for name, answer in harder.items()
            },
        },
    }


def evaluate_emotion(graph: ServedGraph, data: Path) -> Figures:
    """Figures on FER2013's held-out faces, as FER2013 frames them and as serving does."""
    faces = EmotionSet(data)
    rows = np.flatnonzero(faces.held_out)
    classes = faces.classes[rows]
    native = graph.answer_crops(_colour(faces.pixels[rows])).argmax(axis=1)
    aligned = graph.answer_crops(_colour(faces.aligned[rows])).argmax(axis=1)
    found = faces.found[rows]
    return {
        "accuracy": _mean(native == classes),
        "accuracy_aligned": _mean((aligned == classes)[found]),
        "accuracy_native_of_aligned": _mean((native == classes)[found]),
        "recall": {name: _mean((native == classes)[classes == index]) for index, name in enumerate(EMOTIONS)},
        "confusion": _confusion(classes, native, len(EMOTIONS)),
        "held_out": {"fer2013": len(rows), "aligned": int(found.sum())},
    }


def _colour(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[..., None], 3, axis=3)


def _harder(graphs: Mapping[str, ServedGraph], chips: NDArray[np.uint8]) -> dict[str, dict[str, NDArray[np.float32]]]:
    """The same faces in grey, and shrunk until the face's crop is 32 px wide."""
    grey = np.stack([np.repeat(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2) for chip in chips])
    side = round(chips.shape[1] * SMALL_FACE_PX / FACE_WINDOW.side_px)
    shape = chips.shape[1:3]
    small = np.stack(
        [cv2.resize(cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA), shape) for chip in chips]
    )
    return {name: answer_faces(graphs, faces) for name, faces in (("grey", grey), (f"{SMALL_FACE_PX}_px", small))}


def _by_group(
    right: NDArray[np.bool_], labels: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Share of right answers for each ethnicity x gender x age band of FairFace, and how many faces that is."""
    table = []
    for ethnicity, ethnicity_name in enumerate(ETHNICITIES):
        for gender, gender_name in enumerate(GENDERS):
            for band, (first, end) in AGE_BANDS.items():
                inside = (
                    rows
                    & (labels["ethnicity"] == ethnicity)
                    & (labels["gender"] == gender)
                    & (labels["age_bin"] >= first)
                    & (labels["age_bin"] < end)
                )
                count = int(inside.sum())
                share = _mean(right[inside]) if count else None
                table.append(
                    {"ethnicity": ethnicity_name, "gender": gender_name, "age": band, "faces": count, "right": share}
                )
    return table


def _age_errors(error: NDArray[np.float64], years: NDArray[np.int64]) -> dict[str, float]:
    bins = np.array([age_bin(year) for year in years])
    return {
        f"{first}-{last}": _mean(error[bins == index])
        for index, (first, last) in enumerate(FAIRFACE_AGE_BINS)
        if (bins == index).any()
    }


def _spread(probabilities: NDArray[np.float32], years: NDArray[Any]) -> NDArray[Any]:
    ages = np.arange(probabilities.shape[1])
    return np.sqrt((probabilities * (ages - years[:, None]) ** 2).sum(axis=1))


def _bins(probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.array([age_bin(year) for year in probabilities @ np.arange(probabilities.shape[1])])


def _confusion(truth: NDArray[np.int64], answer: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Row: the label; column: the answer."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (truth, answer), 1)
    return [[int(count) for count in row] for row in table]


def _mean(values: NDArray[Any]) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0
