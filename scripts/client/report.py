"""A finished job as text for people."""

from __future__ import annotations

from pathlib import Path

from scripts.client.table import table
from scripts.client.types import (
    AgeEstimate,
    Box,
    DetectionResult,
    Face,
    JobView,
    Match,
    Scores,
    Threshold,
    VerificationResult,
)

NOTICES = {
    "no_faces": "no face was found",
    "several_faces_in_anchor": "the anchor photo shows several faces; the largest was used",
    "low_quality_anchor": "the anchor face is too poor to compare with: choose a larger, sharper or brighter one",
}


def detection_report(job: JobView, result: DetectionResult, photo: Path) -> str:
    faces = result["faces"]
    size = f"{result['image']['width']} x {result['image']['height']} px"
    title = f"{photo.name} ({size}): {_count(len(faces), 'face')}{_made_by(job)}"
    if not faces:
        return title
    estimates = [_estimates(face) for face in faces]
    asked = list(estimates[0])
    rows = [
        [str(face["index"]), f"{face['confidence']:.2f}", *_box(face["box"]), *(said.get(name, "") for name in asked)]
        for face, said in zip(faces, estimates, strict=True)
    ]
    return f"{title}\n{table(['face', 'confidence', 'x', 'y', 'width', 'height', *asked], rows)}"


def verification_report(job: JobView, result: VerificationResult, anchor: Path, photo: Path) -> str:
    threshold = result["threshold"]
    matched = [match for match in result["matches"] if match["match"]]
    everyone = result["matches"] + result["unmatched"]
    lines = [
        f"{anchor.name} in {photo.name}: {len(matched)} of {_count(len(everyone), 'face')} "
        f"{'matches' if len(matched) == 1 else 'match'}{_made_by(job)}",
        f"threshold {threshold['value']:.3f}, where {threshold['far']:.2%} of {_strangers(threshold)} are accepted "
        f"and {threshold['frr']:.2%} of true pairs are missed",
        *_among(len(everyone), result.get("any_false_match")),
        *(f"note: {NOTICES.get(notice, notice)}" for notice in result["notices"]),
    ]
    if everyone:
        rows = [
            [
                str(match["face"]["index"]),
                _decision(match),
                _sure(match["probability"]),
                f"{match['similarity']:.3f}",
                *_box(match["face"]["box"]),
            ]
            for match in everyone
        ]
        lines.append(table(["face", "decision", "probability", "similarity", "x", "y", "width", "height"], rows))
    return "\n".join(lines)


def _strangers(threshold: Threshold) -> str:
    """Only a calibration that knows who looks alike tells all strangers apart."""
    return "strangers" if threshold.get("far_any") is None else "strangers who look alike"


def _sure(probability: float) -> str:
    """Never all or nothing: no photo makes anybody that sure."""
    return ">99.9%" if probability > 0.999 else "<0.1%" if probability < 0.001 else f"{probability:.1%}"


def _among(faces: int, any_false_match: float | None) -> list[str]:
    if faces < 2 or any_false_match is None:
        return []
    return [f"with {faces} faces, the chance of at least one false match is about {any_false_match:.0%}"]


def _decision(match: Match) -> str:
    if match["match"] is None:
        quality = match.get("quality")
        reasons = ", ".join(reason.replace("_", " ") for reason in (quality.get("reasons", ()) if quality else ()))
        return f"cannot be judged: {reasons or 'the anchor'}"
    return "match" if match["match"] else "no match"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _made_by(job: JobView) -> str:
    return f", by {', '.join(job['models'].values())}" if job["models"] else ""


def _box(box: Box) -> list[str]:
    return [f"{side:.0f}" for side in (box["x"], box["y"], box["width"], box["height"])]


def _estimates(face: Face) -> dict[str, str]:
    """What was estimated of a face, in words, by attribute."""
    if (attributes := face["attributes"]) is None:
        return {}
    estimates: dict[str, AgeEstimate | Scores | None] = {
        "age": attributes["age"],
        "gender": attributes["gender"],
        "ethnicity": attributes["ethnicity"],
        "emotion": attributes["emotion"],
    }
    return {name: _words(estimate) for name, estimate in estimates.items() if estimate}


def _words(estimate: AgeEstimate | Scores) -> str:
    if "value" in estimate:
        return f"{estimate['value']:.0f} ± {estimate['spread']:.0f}"
    return f"{estimate['label']} {estimate['scores'][estimate['label']]:.0%}"
