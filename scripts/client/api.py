"""Client: talks to a facekit server; uploads once, however often the connection breaks, and waits for the job."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from scripts.client.types import JobView

WAIT_S = 20.0
RETRIES = 5
RETRY_AFTER_LIMIT_S = 60.0
# What a proxy answers while there is no server behind it, or too much.
PASSING_STATUSES = frozenset({429, 502, 503, 504})


class Unreachable(Exception):
    """No server answered."""


class Refused(Exception):
    """The server's problem: its stable `code`, a sentence, what to do, and whether it passes by itself."""

    def __init__(self, code: str, detail: str, advice: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.advice = advice
        self.retryable = retryable


class Client:
    """`deadline` bounds everything it does, in seconds of time.monotonic(); `tell` hears about retries."""

    def __init__(self, url: str, api_key: str, *, deadline: float, tell: Callable[[str], None]) -> None:
        self._url = url.rstrip("/")
        self._deadline = deadline
        self._tell = tell
        self._session = requests.Session()
        if api_key:
            self._session.headers["Authorization"] = f"Bearer {api_key}"

    def submit(self, path: str, photos: Mapping[str, Path], fields: Mapping[str, str]) -> JobView:
        """The accepted job. The Idempotency-Key makes a repeated upload the same job.

        Raises OSError for an unreadable photo, Refused, Unreachable.
        """
        files = {field: (photo.name, photo.read_bytes()) for field, photo in photos.items()}
        key = str(uuid.uuid4())
        response = self._call("POST", path, files=files, data=dict(fields), headers={"Idempotency-Key": key})
        return _job(response)

    def follow(self, job: JobView) -> Iterator[JobView]:
        """The job each time it changed, last in its terminal state. Raises Refused, Unreachable."""
        yield job
        while job["status"] in {"queued", "running"}:
            if time.monotonic() > self._deadline:
                raise TimeoutError
            job = _job(self._call("GET", f"/v1/jobs/{job['id']}", params={"wait": str(self._wait_s())}))
            yield job

    def image(self, url: str) -> bytes:
        return self._call("GET", url).content

    def cancel(self, job_id: str) -> None:
        """One try: whoever interrupts does not want to wait."""
        self._session.post(f"{self._url}/v1/jobs/{job_id}/cancel", timeout=5)

    def _wait_s(self) -> float:
        return round(min(WAIT_S, max(self._deadline - time.monotonic(), 0.1)), 1)

    def _call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Repeats on lost connections and on problems that can pass, as long as the deadline allows.

        Raises Refused with the last problem, Unreachable when the last try got no answer.
        """
        problem: Exception = Unreachable(self._url)
        for attempt in range(RETRIES + 1):
            pause_s = min(0.5 * 2**attempt, 2.0)
            try:
                response = self._session.request(method, self._url + path, timeout=(5, WAIT_S + 40), **arguments)
            except (requests.ConnectionError, requests.Timeout) as error:
                problem = Unreachable(f"{self._url} does not answer ({type(error).__name__})")
            except requests.RequestException as error:
                raise Unreachable(f"{self._url}: {error}") from error
            else:
                if response.status_code < 400:
                    return response
                problem = _problem(response)
                if not problem.retryable:
                    raise problem
                pause_s = _retry_after_s(response, pause_s)
            if attempt == RETRIES or time.monotonic() + pause_s > self._deadline:
                break
            self._tell(f"{problem}; trying again in {pause_s:g} s")
            time.sleep(pause_s)
        raise problem


def _problem(response: requests.Response) -> Refused:
    """The server says itself whether its problem passes; of what stands before a server the status tells."""
    passing = response.status_code in PASSING_STATUSES
    try:
        body = response.json()
        code, detail = str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError):
        reason = response.reason or "no facekit server answered"
        return Refused(f"http_{response.status_code}", reason, retryable=passing)
    return Refused(code, detail, str(body.get("advice", "")), retryable=bool(body.get("retryable", passing)))


def _job(response: requests.Response) -> JobView:
    try:
        body: JobView = response.json()
    except ValueError:
        raise Refused("not_facekit", "the answer is not JSON: is this a facekit server?") from None
    return body


def _retry_after_s(response: requests.Response, default_s: float) -> float:
    try:
        return min(float(response.headers["Retry-After"]), RETRY_AFTER_LIMIT_S)
    except (KeyError, ValueError):
        return default_s
