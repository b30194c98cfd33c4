"""nginx's limits follow the gateway's settings; tests/e2e/compose/test_edge.py tries them on nginx itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from services.common.settings.load import SettingsInvalid, settings_of
from services.gateway.uploads import OVERHEAD_BYTES, too_large

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "deployment" / "nginx_limits.sh"
CONFIG = (ROOT / "frontend" / "nginx.conf").read_text(encoding="utf-8")


def limits(tmp_path: Path, **settings: object) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    path = tmp_path / "limits.conf"
    given = {"MAX_UPLOAD_BYTES": 20_000_000, "MAX_WAIT_S": 60} | settings
    ended = subprocess.run(
        [str(SCRIPT), str(path)],
        env={"PATH": os.environ["PATH"]} | {f"FACEKIT_{name}": str(value) for name, value in given.items()},
        capture_output=True,
        text=True,
    )
    return ended, path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("max_bytes", [1, 1_500_000, 20_000_000, 123_456_789, 3_000_000_000])
def test_two_photos_and_a_form_pass_and_words_are_the_gateways(tmp_path: Path, max_bytes: int) -> None:
    ended, (body, words, _) = limits(tmp_path, MAX_UPLOAD_BYTES=max_bytes)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert int(body.removeprefix("client_max_body_size ").rstrip(";")) > 2 * max_bytes + OVERHEAD_BYTES
    largest = words.split('"')[1]
    assert 'detail":"photos of at most $largest_photo are accepted' in CONFIG
    assert too_large(max_bytes).detail == f"photos of at most {largest} are accepted"
    assert f'"title":"{too_large(1).title}"' in CONFIG and f'"code":"{too_large(1).code}"' in CONFIG


@pytest.mark.parametrize(("wait_s", "written"), [("60", "90s"), ("0.5", "30s"), ("600.", "630s")])
def test_an_answer_is_waited_for_longer_than_a_job(tmp_path: Path, wait_s: str, written: str) -> None:
    _, (*_, timeout) = limits(tmp_path, MAX_WAIT_S=wait_s)
    assert timeout == f"proxy_read_timeout {written};"


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_UPLOAD_BYTES", "20MB"), ("MAX_UPLOAD_BYTES", "0"), ("MAX_WAIT_S", "-1")]
)
def test_a_bad_value_is_the_line_that_programs_say(tmp_path: Path, name: str, value: str) -> None:
    ended, written = limits(tmp_path, **{name: value})
    assert (ended.returncode, written) == (2, [])
    with pytest.raises(SettingsInvalid) as refused:
        settings_of({f"FACEKIT_{name}": value})
    assert ended.stderr.strip() == str(refused.value)


def test_nginx_includes_what_the_script_writes_and_has_no_limit_of_its_own() -> None:
    assert "include /tmp/limits.conf;" in CONFIG and "/tmp/limits.conf" in SCRIPT.read_text(encoding="utf-8")
    assert "client_max_body_size" not in CONFIG and "proxy_read_timeout" not in CONFIG
    dockerfile = (ROOT / "services" / "Dockerfile").read_text(encoding="utf-8")
    assert "COPY scripts/deployment/nginx_limits.sh /docker-entrypoint.d/" in dockerfile
