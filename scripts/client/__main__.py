"""A client for the terminal: `python -m scripts.client detect photo.jpg`, `... verify anchor.jpg group.jpg`.

Exit codes: 0 a face or a match was found, 1 the job failed or was refused, 2 wrong usage, 3 no face or no match,
4 no server answers, 130 interrupted (the job is cancelled).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import requests

from scripts.client.api import Client, Refused, Unreachable
from scripts.client.report import detection_report, verification_report
from scripts.client.types import DetectionResult, JobView, VerificationResult
from services.common.settings import load_settings
from services.common.settings.load import environment

FOUND, FAILED, USAGE, NOTHING, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help="of the server; or FACEKIT_URL, or this machine's own")
    common.add_argument("--api-key", help="or FACEKIT_API_KEY")
    common.add_argument("--timeout", type=float, default=300.0, metavar="S", help="seconds to wait in all (300)")
    common.add_argument("--json", action="store_true", help="print the whole job as JSON")
    common.add_argument("--save-annotated", type=Path, metavar="FILE", help="save the photo with its boxes drawn")
    common.add_argument("--save-crops", type=Path, metavar="FOLDER", help="save each face as its own picture")

    top = argparse.ArgumentParser(prog="python -m scripts.client", description=__doc__.partition("\n")[0])
    kinds = top.add_subparsers(dest="kind", required=True)
    detect = kinds.add_parser("detect", parents=[common], help="find faces, and estimate what is asked for")
    detect.add_argument("photo", type=Path)
    detect.add_argument("--analyze", default="", metavar="LIST", help="of age, gender, ethnicity, emotion; with commas")
    detect.add_argument("--min-confidence", type=float, metavar="P", help="0.01 to 1; the model's own when left out")
    detect.add_argument("--max-faces", type=int, metavar="N", help="1 to 1000")
    verify = kinds.add_parser("verify", parents=[common], help="look for the person of one photo in another")
    verify.add_argument("anchor", type=Path, help="the face to look for")
    verify.add_argument("photo", type=Path, help="where to look")
    decision = verify.add_mutually_exclusive_group()
    decision.add_argument("--max-far", type=float, metavar="RATE", help="highest accepted false-accept rate, as 0.01")
    decision.add_argument("--threshold", type=float, metavar="S", help="similarity from which faces match, -1 to 1")
    return top


class Progress:
    """What the job does, on stderr: one line that rewrites itself on a terminal, else a line for each change."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = ""

    def show(self, job: JobView) -> None:
        line = job["status"] if job["stage"] is None else f"{job['status']}: {job['stage']}"
        if line != self._last:
            self._write(line, end="" if self._live else "\n")
            self._last = line

    def tell(self, line: str) -> None:
        self._write(line, end="\n")

    def clear(self) -> None:
        if self._live and self._last:
            self._write("", end="")

    def _write(self, line: str, end: str) -> None:
        print(f"\r\x1b[K{line}" if self._live else line, end=end, file=sys.stderr, flush=True)


def fields_of(arguments: argparse.Namespace) -> tuple[str, dict[str, Path], dict[str, str]]:
    """The path to post to, its photos and its other form fields."""
    optional = ("analyze", "min_confidence", "max_faces", "max_far", "threshold")
    given = {name: getattr(arguments, name, None) for name in optional}
    fields = {name: str(value) for name, value in given.items() if value not in (None, "")}
    if arguments.kind == "detect":
        return "/v1/detections", {"image": arguments.photo}, fields
    return "/v1/verifications", {"anchor": arguments.anchor, "image": arguments.photo}, fields


def save_pictures(client: Client, arguments: argparse.Namespace, result: DetectionResult | VerificationResult) -> None:
    if "faces" in result:
        faces = result["faces"]
    else:
        faces = [match["face"] for match in result["matches"] + result["unmatched"]]
    if arguments.save_crops is not None:
        arguments.save_crops.mkdir(parents=True, exist_ok=True)
        for face in faces:
            target = arguments.save_crops / f"{arguments.photo.stem}-face-{face['index']}.jpg"
            target.write_bytes(client.image(face["crop_url"]))
    if arguments.save_annotated is not None and (url := result["annotated_url"]):
        arguments.save_annotated.parent.mkdir(parents=True, exist_ok=True)
        arguments.save_annotated.write_bytes(client.image(url))


def finish(client: Client, arguments: argparse.Namespace, job: JobView) -> int:
    """Prints the ended job, saves its pictures and returns the exit code."""
    if arguments.json:
        print(json.dumps(job, indent=2, ensure_ascii=False))
    result = job["result"]
    if result is None:
        error = job["error"]
        said = f"{error['code']}: {error['detail']}\n{error['advice']}" if error else "cancelled: the job was cancelled"
        print(said, file=sys.stderr)
        return FAILED
    save_pictures(client, arguments, result)
    if "faces" in result:
        if not arguments.json:
            print(detection_report(job, result, arguments.photo))
        return FOUND if result["faces"] else NOTHING
    if not arguments.json:
        print(verification_report(job, result, arguments.anchor, arguments.photo))
    return FOUND if any(match["match"] for match in result["matches"]) else NOTHING


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    progress = Progress()
    settings, variables = load_settings(), environment()
    url = arguments.url or variables.get("FACEKIT_URL") or settings.url
    key = variables.get("FACEKIT_API_KEY", "") if arguments.api_key is None else arguments.api_key
    client = Client(url, key, deadline=time.monotonic() + arguments.timeout, tell=progress.tell)
    job: JobView | None = None
    try:
        job = client.submit(*fields_of(arguments))
        for state in client.follow(job):
            job = state
            progress.show(job)
        progress.clear()
        return finish(client, arguments, job)
    except KeyboardInterrupt:
        progress.clear()
        if job is not None:
            try:
                client.cancel(job["id"])
            except requests.RequestException as error:
                progress.tell(f"the job could not be cancelled: {error}")
        progress.tell("interrupted")
        return INTERRUPTED
    except TimeoutError:
        progress.clear()
        progress.tell(f"not finished after {arguments.timeout:g} s; the job {job['id'] if job else ''} goes on")
        return FAILED
    except Refused as error:
        progress.clear()
        progress.tell(f"{error}\n{error.advice}".rstrip())
        return FAILED
    except Unreachable as error:
        progress.clear()
        progress.tell(str(error))
        return UNREACHABLE
    except OSError as error:
        progress.clear()
        progress.tell(f"{error.filename or 'file'}: {error.strerror or error}")
        return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
