"""What OpenAPI shows beside the schemas: a job at each stage of its life."""

from __future__ import annotations

from typing import Any, Final

from services.common.errors import NoFaceInAnchor

JOB_ID: Final = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071"
_URL: Final = f"/v1/jobs/{JOB_ID}/images"

_BOX: Final = {"x": 412.0, "y": 120.5, "width": 88.0, "height": 104.2}
_FACE: Final[dict[str, Any]] = {
    "index": 0,
    "box": _BOX,
    "confidence": 0.97,
    "landmarks": {
        "left_eye": [431.0, 160.2],
        "right_eye": [474.1, 158.9],
        "nose": [453.3, 184.0],
        "left_mouth": [436.2, 203.1],
        "right_mouth": [471.8, 201.7],
    },
    "crop_url": f"{_URL}/face-0",
    "attributes": {
        "age": {"value": 31.4, "spread": 6.2},
        "emotion": {"label": "happy", "scores": {"happy": 0.91, "neutral": 0.09}},
    },
}

QUEUED: Final[dict[str, Any]] = {
    "id": JOB_ID,
    "kind": "detection",
    "status": "queued",
    "steps": ["detector", "analyzer"],
    "stage": "detector",
    "progress": 0.0,
    "attempts": 1,
    "options": {"analyze": ["age", "emotion"], "min_confidence": None, "max_faces": 1000},
    "created_at": "2026-11-23T21:00:00.000000Z",
    "started_at": None,
    "finished_at": None,
    "timings_ms": {},
    "models": {},
    "error": None,
    "result": None,
}
SUCCEEDED: Final[dict[str, Any]] = {
    **QUEUED,
    "status": "succeeded",
    "stage": None,
    "progress": 1.0,
    "started_at": "2026-11-23T21:00:00.004000Z",
    "finished_at": "2026-11-23T21:00:00.075000Z",
    "timings_ms": {"queued": 4.0, "detector": 38.2, "analyzer": 21.0},
    "models": {"detector": "yolov8n-face@2026.11.1", "age": "facekit-age@2026.11.1"},
    "result": {
        "image": {"width": 1600, "height": 1200, "url": f"{_URL}/original"},
        "annotated_url": f"{_URL}/annotated",
        "notice": None,
        "faces": [_FACE],
    },
}
FAILED: Final[dict[str, Any]] = {
    **QUEUED,
    "kind": "verification",
    "options": {"max_far": 0.01, "threshold": None},
    "status": "failed",
    "steps": ["detector", "verifier"],
    "stage": None,
    "started_at": "2026-11-23T21:00:00.004000Z",
    "finished_at": "2026-11-23T21:00:00.042000Z",
    "timings_ms": {"queued": 4.0, "detector": 37.5},
    "error": {
        "code": NoFaceInAnchor.code,
        "title": NoFaceInAnchor.title,
        "detail": "No face was found in the anchor photo.",
        "advice": NoFaceInAnchor.advice,
        "about_photo": NoFaceInAnchor.about_photo,
    },
}

_JSON: Final = "application/json"

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Accepted: the photo is stored and the job will end. Follow `Location`.",
        "content": {_JSON: {"example": QUEUED}},
        "headers": {
            "Location": {"description": "Where the job is", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds to wait before asking", "schema": {"type": "integer"}},
            "Idempotent-Replayed": {
                "description": "`true` when this key and payload had been accepted before",
                "schema": {"type": "string"},
            },
        },
    }
}
JOB: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The job",
        "content": {
            _JSON: {
                "examples": {
                    "queued": {"value": QUEUED},
                    "succeeded": {"value": SUCCEEDED},
                    "failed": {"value": FAILED},
                }
            }
        },
    }
}
PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A page", "content": {_JSON: {"example": {"jobs": [SUCCEEDED], "next_cursor": JOB_ID}}}}
}
