"""A steady load of jobs, as clients that mean it would send them: what gets no answer is sent again under its key."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import requests

from tests import photos
from tests.e2e.compose.compose_stack import AWAY, TERMINAL, ComposeStack

EVERY_S = 0.6
RETRY_S = 0.5
AWAY_STATUS = {502, 503, 504}
FACES = 12
OPEN = 12  # jobs that have not ended, as many as a slow machine still works off in a short while


@dataclass
class SteadyLoad:
    """Submits a detection with ages and a verification in turn until left, as long as not more than `OPEN` of them have
    to be worked off; `check` then looks at every single job."""

    stack: ComposeStack
    accepted: dict[str, str] = field(default_factory=dict)  # kind by job id
    refused: list[str] = field(default_factory=list)
    interrupted: int = 0  # submissions that had to be sent more than once

    def __enter__(self) -> SteadyLoad:
        self._before = {job["id"] for job in self._listed()}
        self._photo, self._anchor = photos.jpeg(photos.crowd_rgb(3, 4)), photos.one_face()
        self._open: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="steady load", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if error is None:
            self._thread.join()

    def wait_accepted(self, more: int, timeout_s: float = 240) -> None:
        """Until so many more jobs were accepted than now."""
        wanted, deadline = len(self.accepted) + more, time.monotonic() + timeout_s
        while len(self.accepted) < wanted:
            assert not self.refused, self.refused
            assert time.monotonic() < deadline, f"{len(self.accepted)} jobs accepted, {wanted} wanted"
            time.sleep(0.1)

    def check(self) -> None:
        """Every accepted job succeeded, whole; there is no other job than those."""
        assert not self.refused, self.refused
        for job_id, kind in self.accepted.items():
            job = self.stack.finished(job_id)
            assert (job["status"], job["kind"]) == ("succeeded", kind), job
            {"detection": self._whole_detection, "verification": self._whole_verification}[kind](job)
        made = [job["id"] for job in self._listed() if job["id"] not in self._before]
        assert sorted(made) == sorted(self.accepted)

    def _send(self) -> None:
        kinds = ("detection", "verification")
        number = 0
        while not self._stop.is_set():
            started = time.monotonic()
            if len(self._open) < OPEN or self._ended(self._open[0]):
                self._submit(kinds[number % 2])
                number += 1
            self._stop.wait(max(0.0, EVERY_S - (time.monotonic() - started)))

    def _ended(self, job_id: str) -> bool:
        """Whether the job has ended; it is then no longer open."""
        try:
            answer = self.stack.call("GET", f"/v1/jobs/{job_id}")
        except AWAY:
            return False
        if not answer.ok or answer.json()["status"] not in TERMINAL:
            return False
        self._open.remove(job_id)
        return True

    def _submit(self, kind: str) -> None:
        """Sends one job until the gateway has accepted it, under one idempotency key."""
        files = {"image": ("group.jpg", self._photo)}
        if kind == "verification":
            files["anchor"] = ("anchor.jpg", self._anchor)
        fields = {"analyze": "age"} if kind == "detection" else {}
        key = {"Idempotency-Key": uuid.uuid4().hex}
        deadline, tries = time.monotonic() + 240, 0
        while time.monotonic() < deadline:
            tries += 1
            try:
                answer = self.stack.call("POST", f"/v1/{kind}s", files=files, data=fields, headers=key)
            except AWAY:
                time.sleep(RETRY_S)
                continue
            if answer.ok:
                self.accepted[answer.json()["id"]] = kind
                self._open.append(answer.json()["id"])
                self.interrupted += tries > 1
                return
            if answer.status_code not in AWAY_STATUS:
                self.refused.append(f"{answer.status_code} {answer.text}")
                return
            time.sleep(RETRY_S)
        self.refused.append(f"a {kind} was not accepted in 240 s")

    def _whole_detection(self, job: dict[str, Any]) -> None:
        faces = job["result"]["faces"]
        assert len(faces) == FACES
        assert all(face["attributes"]["age"]["value"] > 0 for face in faces)
        assert {"detector", "age"} <= set(job["models"])
        for url in (job["result"]["image"]["url"], faces[0]["crop_url"], faces[-1]["crop_url"]):
            self._whole_picture(url)

    def _whole_verification(self, job: dict[str, Any]) -> None:
        result = job["result"]
        assert len(result["matches"]) + len(result["unmatched"]) == FACES
        assert {"detector", "verifier"} <= set(job["models"])

    def _whole_picture(self, url: str) -> None:
        picture: requests.Response = self.stack.call("GET", url)
        assert picture.status_code == 200, picture.text
        assert picture.content.startswith(b"\xff\xd8") and picture.content.rstrip().endswith(b"\xff\xd9"), url

    def _listed(self) -> list[dict[str, Any]]:
        """Every job there is, page by page."""
        jobs: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = self.stack.call("GET", "/v1/jobs", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
            assert answer.status_code == 200, answer.text
            jobs += answer.json()["jobs"]
            if (cursor := answer.json()["next_cursor"]) is None:
                return jobs
