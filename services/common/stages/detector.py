"""The detector's stage: photos in, their faces out."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from services.common.flows.stage import StageSpec, StageWords
from services.common.schemas import Face, Photo, Schema


class PhotoToSearch(Schema):
    """A photo of the job by name; crops of its faces are stored under `crops`, with a face's index for `{}`."""

    name: str
    crops: str = "face-{}"
    keep: int | None = Field(default=None, ge=1, description="so many of the largest faces; all of them without")


class FindFaces(Schema):
    """What the detector is asked. `chips`: aligned faces are wanted by a later stage, in the order of the photos."""

    photos: list[PhotoToSearch] = Field(min_length=1)
    min_confidence: float | None = None
    max_faces: int = 1000
    chips: bool = False


class SearchedPhoto(Schema):
    """The upright photo, how many faces were found on it, and those that were kept."""

    photo: Photo
    count: int
    faces: list[Face]


class FacesFound(Schema):
    """By the names of the photos."""

    photos: dict[str, SearchedPhoto]


STAGE: Final = StageSpec(
    name="detector",
    takes=FindFaces,
    gives=FacesFound,
    tasks={"detector": "Finds faces and their landmarks"},
    words=StageWords("Find faces", "Finding faces", "finding faces"),
)
