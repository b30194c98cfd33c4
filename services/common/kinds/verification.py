"""A verification: whether the person of the anchor photo is among the faces of a second photo."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import ConfigDict, Field, model_validator

from services.common.errors import InvalidValue, NoFaceInAnchor
from services.common.flows.kind import Kind, PhotoField, Step
from services.common.flows.outputs import Outputs
from services.common.schemas import Face, Photo, Probability, Quality, Schema, Threshold, image_url
from services.common.stages import detector, verifier
from services.common.stages.detector import FindFaces, PhotoToSearch
from services.common.stages.verifier import CompareFaces, FaceToCompare

ANCHOR: Final = "anchor"
PHOTO: Final = "original"

VerificationNotice = Literal["several_faces_in_anchor", "no_faces", "low_quality_anchor"]


class VerificationOptions(Schema):
    """At most one of `max_far` (highest accepted false-accept rate) and `threshold` (similarity, -1 to 1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["max_far", "threshold"],
                "properties": {"max_far": {"type": "number"}, "threshold": {"type": "number"}},
            }
        }
    )

    max_far: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Highest false-accept rate to allow; decides the threshold. Not together with `threshold`",
    )
    threshold: float | None = Field(default=None, ge=-1, le=1, description="Similarity that counts as a match")
    prior: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="How likely a match was before anybody looked; 0.5 is as likely as not. Moves `probability` alone",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> VerificationOptions:
        if self.max_far is not None and self.threshold is not None:
            raise InvalidValue("give max_far or threshold, not both: each of them says where the decision lies")
        return self


class Match(Schema):
    """One face of the second photo against the anchor."""

    face: Face = Field(description="The face of the second photo")
    similarity: float = Field(description="Cosine of the two embeddings, -1 to 1")
    probability: Probability = Field(description="That both are one person, given the `prior`; never 0 or 1")
    match: bool | None = Field(description="The decision at the threshold; null where nobody can say")
    low_quality: bool = Field(default=False, description="Whether the face is too poor to judge at all")
    quality: Quality | None = Field(default=None, description="What was measured of the face, and why it is too poor")


class VerificationResult(Schema):
    """`matches` and `unmatched` together are every face of the second photo, likeliest first."""

    anchor: Photo = Field(description="The photo of the person who is looked for")
    image: Photo = Field(description="The photo that was looked through")
    annotated_url: str | None = Field(default=None, description="The second photo with its boxes drawn, a JPEG")
    anchor_face: Face = Field(description="The anchor photo's largest face, which was compared")
    anchor_quality: Quality | None = Field(default=None, description="What was measured of the anchor's face")
    threshold: Threshold = Field(description="Where the decision was made, and the error rates measured there")
    thresholds: list[Threshold] = Field(default=[], description="The measured table, for moving the threshold")
    worst_group: str | None = Field(default=None, description="The group of people whose `far_worst` is told")
    any_false_match: Probability | None = Field(
        default=None,
        description="Chance of a false match among the judged faces, if all are strangers as in `far`",
    )
    notices: list[VerificationNotice] = Field(default=[], description="What whoever reads the result should know")
    matches: list[Match] = Field(description="Faces at or above the threshold, likeliest first")
    unmatched: list[Match] = Field(description="Faces below it or too poor to judge, likeliest first")


def _find(options: VerificationOptions, outputs: Outputs) -> FindFaces:
    return FindFaces(
        photos=[PhotoToSearch(name=ANCHOR, crops="anchor-face", keep=1), PhotoToSearch(name=PHOTO)], chips=True
    )


def _anchor_shows_a_face(outputs: Outputs) -> None:
    if not outputs[detector.STAGE].photos[ANCHOR].faces:
        raise NoFaceInAnchor("No face was found in the anchor photo; choose one that shows the face you look for.")


def _compare(options: VerificationOptions, outputs: Outputs) -> CompareFaces:
    found = outputs[detector.STAGE].photos
    return CompareFaces(
        anchor=_to_compare(found[ANCHOR].faces[0], found[ANCHOR].photo),
        faces=[_to_compare(face, found[PHOTO].photo) for face in found[PHOTO].faces],
        max_far=options.max_far,
        threshold=options.threshold,
        prior=options.prior,
    )


def _conclude(job_id: str, options: VerificationOptions, outputs: Outputs) -> VerificationResult:
    found, compared = outputs[detector.STAGE].photos, outputs[verifier.STAGE]
    anchor, image = found[ANCHOR], found[PHOTO]
    notices: list[VerificationNotice] = []
    if anchor.count > 1:
        notices.append("several_faces_in_anchor")
    if not image.faces:
        notices.append("no_faces")
    if compared.anchor_quality.low:
        notices.append("low_quality_anchor")
    matches = [
        Match(
            face=face,
            similarity=each.similarity,
            probability=each.probability,
            match=each.match,
            low_quality=each.quality.low,
            quality=each.quality,
        )
        for face, each in zip(image.faces, compared.comparisons, strict=True)
    ]
    matches.sort(key=lambda match: match.similarity, reverse=True)
    return VerificationResult(
        anchor=anchor.photo,
        image=image.photo,
        annotated_url=image_url(job_id, "annotated"),
        anchor_face=anchor.faces[0],
        anchor_quality=compared.anchor_quality,
        threshold=compared.threshold,
        thresholds=compared.thresholds,
        worst_group=compared.worst_group,
        any_false_match=compared.any_false_match,
        notices=notices,
        matches=[match for match in matches if match.match],
        unmatched=[match for match in matches if not match.match],
    )


def _to_compare(face: Face, photo: Photo) -> FaceToCompare:
    return FaceToCompare(box=face.box, landmarks=face.landmarks, photo_width=photo.width, photo_height=photo.height)


KIND: Final = Kind(
    name="verification",
    path="/v1/verifications",
    operation="verify",
    title="Verify",
    summary="Compares the face of the anchor photo with every face of a second photo.",
    photos=(
        PhotoField("anchor", ANCHOR, "The face to look for; the largest one counts"),
        PhotoField("image", PHOTO, "The photo to look in"),
    ),
    options=VerificationOptions,
    result=VerificationResult,
    steps=(
        Step(detector.STAGE, _find, accepts=_anchor_shows_a_face),
        Step(verifier.STAGE, _compare, after=("detector",)),
    ),
    conclude=_conclude,
)
