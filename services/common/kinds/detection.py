"""A detection: where the faces of one photo are and, where asked, what is estimated of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from services.common.errors import UnknownAttribute
from services.common.flows.kind import Kind, PhotoField, Step
from services.common.flows.outputs import Outputs
from services.common.schemas import ATTRIBUTES, Attribute, Face, Photo, Schema, image_url
from services.common.stages import analyzer, detector
from services.common.stages.analyzer import EstimateAttributes
from services.common.stages.detector import FindFaces, PhotoToSearch

PHOTO: Final = "original"


class DetectionOptions(Schema):
    """What a detection was asked for. `min_confidence` None means the model's own default."""

    analyze: list[Attribute] = Field(
        default=[],
        description="Any of " + ", ".join(ATTRIBUTES) + ", separated by commas; none by default",
        examples=["age,emotion"],
    )
    min_confidence: float | None = Field(default=None, ge=0.01, le=1, description="The model's own by default")
    max_faces: int = Field(default=1000, ge=1, le=1000, description="The largest faces, so many at most")

    @field_validator("analyze", mode="before")
    @classmethod
    def _known(cls, asked: Iterable[Any]) -> list[str]:
        """Each once, in the order of ATTRIBUTES. Raises UnknownAttribute."""
        names = {str(name).lower() for name in asked}
        unknown = sorted(names - set(ATTRIBUTES))
        if unknown:
            shown = ", ".join(repr(name[:40]) for name in unknown)
            raise UnknownAttribute(f"{shown} cannot be analyzed; what can be is {', '.join(ATTRIBUTES)}")
        return [name for name in ATTRIBUTES if name in names]


class DetectionResult(Schema):
    """The faces of the photo, largest first."""

    image: Photo = Field(description="The photo that was looked at")
    annotated_url: str | None = Field(default=None, description="The photo with its boxes drawn, a JPEG")
    notice: Literal["no_faces"] | None = Field(default=None, description="`no_faces` where the photo shows none")
    faces: list[Face] = Field(description="Every face found, largest first")


def _find(options: DetectionOptions, outputs: Outputs) -> FindFaces:
    return FindFaces(
        photos=[PhotoToSearch(name=PHOTO)],
        min_confidence=options.min_confidence,
        max_faces=options.max_faces,
        chips=bool(options.analyze),
    )


def _estimate(options: DetectionOptions, outputs: Outputs) -> EstimateAttributes:
    found = outputs[detector.STAGE].photos[PHOTO]
    return EstimateAttributes(faces=len(found.faces), analyze=options.analyze)


def _conclude(job_id: str, options: DetectionOptions, outputs: Outputs) -> DetectionResult:
    found = outputs[detector.STAGE].photos[PHOTO]
    if options.analyze:
        for face, attributes in zip(found.faces, outputs[analyzer.STAGE].faces, strict=True):
            face.attributes = attributes
    return DetectionResult(
        image=found.photo,
        annotated_url=image_url(job_id, "annotated"),
        notice=None if found.faces else "no_faces",
        faces=found.faces,
    )


KIND: Final = Kind(
    name="detection",
    path="/v1/detections",
    operation="detect",
    title="Detect",
    summary="Finds the faces of a photo and, where asked, estimates age, gender, ethnicity and emotion of each.",
    photos=(PhotoField("image", PHOTO, "JPEG, PNG, WebP, HEIC or AVIF"),),
    options=DetectionOptions,
    result=DetectionResult,
    steps=(
        Step(detector.STAGE, _find),
        Step(analyzer.STAGE, _estimate, after=("detector",), when=lambda options: bool(options.analyze)),
    ),
    conclude=_conclude,
    problems=(UnknownAttribute,),
)
