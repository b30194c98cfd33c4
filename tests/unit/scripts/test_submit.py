"""The terminal client: what people read, what scripts get, and how it takes trouble."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from scripts.client import __main__ as submit
from scripts.client import api as client
from services.common.errors import NoFaceInAnchor, UnsupportedFormat
from services.gateway.examples import FAILED
from tests.unit.scripts.fake_server import Answer, face, job, problem, serving

IMAGE = {"width": 640, "height": 480, "url": "/v1/jobs/x/images/original"}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACEKIT_URL", "FACEKIT_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "party.jpg"
    path.write_bytes(b"any bytes: the server judges them")
    return str(path)


def detection(*faces: dict[str, Any]) -> dict[str, Any]:
    result = {"image": IMAGE, "annotated_url": "/v1/jobs/x/images/annotated", "notice": None, "faces": list(faces)}
    return job("succeeded", result=result)


def verification(*, match: bool | None) -> dict[str, Any]:
    entry = {"face": face(0), "similarity": 0.71, "probability": 0.97, "match": match}
    result = {
        "image": IMAGE,
        "annotated_url": None,
        "threshold": {"value": 0.43, "far": 0.01, "frr": 0.12},
        "notices": ["several_faces_in_anchor"],
        "matches": [entry] if match else [],
        "unmatched": [] if match else [entry],
    }
    return job("succeeded", kind="verification", result=result)


def test_detection_prints_a_row_for_each_face_with_what_was_asked(
    photo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emotion = {"label": "happy", "scores": {"happy": 0.81}}
    attributes = {"age": {"value": 31.4, "spread": 6.2}, "gender": None, "ethnicity": None, "emotion": emotion}
    ended = detection(face(0, attributes=attributes), face(1, attributes=attributes))
    with serving(Answer(202, job("queued", "detector")), Answer(200, ended)) as server:
        code = submit.main(["detect", photo, "--url", server.url, "--analyze", "age,emotion", "--max-faces", "5"])
    out = capsys.readouterr().out
    assert code == submit.FOUND
    assert "party.jpg (640 x 480 px): 2 faces, by yolov8n-face@2026.11.1" in out
    assert out.count("31 ± 6") == 2
    assert "happy 81%" in out
    form = server.seen[0].body
    assert b"age,emotion" in form
    assert b'name="max_faces"' in form
    assert b"min_confidence" not in form


def test_progress_goes_to_stderr_stage_by_stage(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    running = [Answer(200, job("running", "detector")), Answer(200, job("running", "analyzer"))]
    with serving(Answer(202, job("queued", "detector")), *running, Answer(200, detection(face(0)))) as server:
        submit.main(["detect", photo, "--url", server.url])
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["queued: detector", "running: detector", "running: analyzer", "succeeded"]


def test_json_is_the_whole_job_and_nothing_else(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Answer(202, detection(face(0)))) as server:
        assert submit.main(["detect", photo, "--url", server.url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == detection(face(0))


def test_no_face_is_exit_code_3(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Answer(202, detection())) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == submit.NOTHING
    assert "0 faces" in capsys.readouterr().out


def test_crops_and_annotated_picture_are_saved(photo: str, tmp_path: Path) -> None:
    pictures = [Answer(200, b"first"), Answer(200, b"second"), Answer(200, b"drawn")]
    target = tmp_path / "out" / "drawn.jpg"
    with serving(Answer(202, detection(face(0), face(1))), *pictures) as server:
        arguments = ["--save-crops", str(tmp_path / "crops"), "--save-annotated", str(target)]
        assert submit.main(["detect", photo, "--url", server.url, *arguments]) == 0
    assert (tmp_path / "crops" / "party-face-0.jpg").read_bytes() == b"first"
    assert (tmp_path / "crops" / "party-face-1.jpg").read_bytes() == b"second"
    assert target.read_bytes() == b"drawn"


@pytest.mark.parametrize(
    ("match", "code", "word"), [(True, 0, "match"), (False, 3, "no match"), (None, 3, "cannot be judged")]
)
def test_verification_says_which_face_matches(
    photo: str, capsys: pytest.CaptureFixture[str], match: bool | None, code: int, word: str
) -> None:
    with serving(Answer(202, verification(match=match))) as server:
        assert submit.main(["verify", photo, photo, "--url", server.url, "--max-far", "0.01"]) == code
    out = capsys.readouterr().out
    assert word in out
    assert "97.0%" in out
    assert "1.00% of strangers" in out
    assert "the largest was used" in out
    assert b'name="max_far"' in server.seen[0].body


def test_failed_job_prints_code_and_detail(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    failed = job("failed", error=FAILED["error"])
    with serving(Answer(202, failed)) as server:
        assert submit.main(["verify", photo, photo, "--url", server.url]) == submit.FAILED
    said = capsys.readouterr().err
    assert "no_face_in_anchor: No face was found in the anchor photo.\n" in said
    assert NoFaceInAnchor.advice in said


def test_refusal_prints_the_problem_and_is_not_repeated(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(problem(415, "unsupported_format", "Send JPEG, PNG, WebP or HEIC.")) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == submit.FAILED
    said = capsys.readouterr().err
    assert "unsupported_format: Send JPEG, PNG, WebP or HEIC.\n" in said and UnsupportedFormat.advice in said
    assert len(server.seen) == 1


def test_lost_connection_and_full_queue_repeat_the_same_upload(
    photo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(client.time, "sleep", pauses.append)
    trouble = [Answer(hang_up=True), problem(503, "queue_full", Retry_After="7"), problem(429, "rate_limited")]
    with serving(*trouble, Answer(202, detection(face(0)))) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == 0
    assert len({seen.headers["Idempotency-Key"] for seen in server.seen}) == 1
    assert pauses[1] == 7
    assert "queue_full" in capsys.readouterr().err


def test_whether_a_problem_passes_is_what_the_server_says(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.time, "sleep", lambda _: None)
    passing = [problem(507, "storage_full"), Answer(502, b"<html>no gateway</html>"), Answer(202, detection(face(0)))]
    with serving(*passing) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == 0
    assert len(server.seen) == 3
    with serving(problem(503, "weights_unavailable")) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == submit.FAILED
    assert len(server.seen) == 1


def test_queue_that_stays_full_is_a_refusal(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.time, "sleep", lambda _: None)
    with serving(problem(503, "queue_full")) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == submit.FAILED
    assert len(server.seen) == client.RETRIES + 1


def test_no_server_is_exit_code_4(
    photo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.time, "sleep", lambda _: None)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        assert submit.main(["detect", photo, "--url", url]) == submit.UNREACHABLE
    assert "does not answer" in capsys.readouterr().err


def test_another_kind_of_server_is_told_apart(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Answer(200, b"<html>hello</html>")) as server:
        assert submit.main(["detect", photo, "--url", server.url]) == submit.FAILED
    assert "is this a facekit server?" in capsys.readouterr().err


def test_timeout_leaves_the_job_and_names_it(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Answer(202, job("queued", "detector")), Answer(200, job("queued", "detector"))) as server:
        assert submit.main(["detect", photo, "--url", server.url, "--timeout", "0.2"]) == submit.FAILED
    assert "0192f0c1-0000-7000-8000-000000000001 goes on" in capsys.readouterr().err


def test_interrupt_cancels_the_job(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with serving(Answer(202, job("queued", "detector")), Answer(200, job("cancelled"))) as server:
        monkeypatch.setattr(submit.Progress, "show", interrupt)
        assert submit.main(["detect", photo, "--url", server.url]) == submit.INTERRUPTED
    assert server.seen[-1].method == "POST"
    assert server.seen[-1].path.endswith("/cancel")


def test_api_key_is_sent_as_bearer(photo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEKIT_API_KEY", "0123456789abcdef")
    with serving(Answer(202, detection(face(0)))) as server:
        submit.main(["detect", photo, "--url", server.url])
    assert server.seen[0].headers["Authorization"] == "Bearer 0123456789abcdef"


def test_server_and_key_may_stand_in_the_env_file(photo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEKIT_ENV_FILE", str(tmp_path / "env"))
    with serving(Answer(202, detection(face(0))), Answer(202, detection(face(0)))) as server:
        (tmp_path / "env").write_text(f"FACEKIT_URL={server.url}\nFACEKIT_API_KEY=0123456789abcdef\n")
        assert submit.main(["detect", photo]) == submit.FOUND
        (tmp_path / "env").write_text(f"FACEKIT_PORT={server.url.rpartition(':')[2]}\n")
        assert submit.main(["detect", photo]) == submit.FOUND, "this machine's own server"
    assert server.seen[0].headers["Authorization"] == "Bearer 0123456789abcdef"
    assert "Authorization" not in server.seen[1].headers


def test_missing_photo_and_wrong_arguments_are_exit_code_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert submit.main(["detect", str(tmp_path / "absent.jpg")]) == submit.USAGE
    assert "absent.jpg: No such file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        submit.main(["detect"])
    assert stopped.value.code == submit.USAGE
