"""The secrets `make up` writes: random, the owner's alone, and never written over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from scripts.deployment import stack_env
from services.gateway.access import ApiKeys


def test_writes_what_the_stack_needs_and_shows_keys_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".env"
    assert stack_env.main([str(path)]) == 0
    values = dotenv_values(path)
    assert ApiKeys(str(values["STACK_API_KEYS"])).enabled
    shown = capsys.readouterr().out
    for entry in str(values["STACK_API_KEYS"]).split(","):
        assert entry.rpartition(":")[2] in shown
    assert str(values["POSTGRES_PASSWORD"]) not in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    user, _, group = str(values["TRAINER_USER"]).partition(":")
    for name in ("data", "runs"):
        owner = (tmp_path / name).stat()
        assert (owner.st_uid, owner.st_gid) == (int(user), int(group)) and owner.st_uid
    before = path.read_bytes()
    assert stack_env.main([str(path)]) == 0
    assert path.read_bytes() == before
    assert capsys.readouterr().out == ""


def test_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("FACEKIT_PORT=9000\nSTACK_API_KEYS=\n#POSTGRES_PASSWORD=\n")
    added = stack_env.complete(path)
    assert "STACK_API_KEYS" not in added and "POSTGRES_PASSWORD" in added
    values = dotenv_values(path)
    assert (values["FACEKIT_PORT"], values["STACK_API_KEYS"]) == ("9000", "")


def test_two_stacks_share_no_secret(tmp_path: Path) -> None:
    one, other = stack_env.complete(tmp_path / "one"), stack_env.complete(tmp_path / "other")
    assert not {value for name, value in one.items() if name not in ("S3_ACCESS_KEY", "TRAINER_USER")} & set(
        other.values()
    )


def test_says_what_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stack_env.main([str(tmp_path / "missing" / ".env")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_a_name_that_nothing_reads_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("FACEKIT_MAX_PIXLES=1\nFACEKIT_TAG=2\nFACEKIT_TEST_ANYTHING=3\n#FACEKIT_COMMENT=4\n")
    monkeypatch.setenv("FACEKIT_LEASE", "5")
    assert stack_env.main([str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "FACEKIT_MAX_PIXLES: there is no such setting; the nearest is FACEKIT_MAX_PIXELS",
        "FACEKIT_LEASE: there is no such setting; the nearest is FACEKIT_LEASE_S",
    ]
    assert "POSTGRES_PASSWORD" not in path.read_text()
