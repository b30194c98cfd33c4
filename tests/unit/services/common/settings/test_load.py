"""The door to the settings: the shell before `.env`, empty is the default, and what cannot be used is a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.settings import Settings, load_settings
from services.common.settings import load as door
from services.common.settings.load import SettingsInvalid, environment, settings_of


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "env"
    path.write_text("POSTGRES_PASSWORD=x\nFACEKIT_PORT=9000\nexport FACEKIT_MAX_QUEUED='7'\n#FACEKIT_DEVICE=cuda\n")
    monkeypatch.setenv("FACEKIT_ENV_FILE", str(path))
    return path


def test_the_file_lies_beside_compose_yaml() -> None:
    assert (door._ENV_FILE.parent / "compose.yaml").is_file()


def test_the_shell_wins_over_the_file_and_the_file_over_the_defaults(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (load_settings().port, load_settings().max_queued, load_settings().device) == (9000, 7, "auto")
    monkeypatch.setenv("FACEKIT_PORT", "9001")
    assert load_settings().port == 9001
    assert load_settings({"FACEKIT_PORT": "9002"}).port == 9002


def test_an_empty_value_means_the_default_wherever_it_stands(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose hands an unset setting on as an empty one."""
    monkeypatch.setenv("FACEKIT_PORT", "")
    assert load_settings().port == 8080
    assert load_settings({"FACEKIT_MAX_QUEUED": ""}).max_queued == 1000
    empty = dict.fromkeys((f"FACEKIT_{name.upper()}" for name in Settings.model_fields), "")
    assert settings_of(empty) == settings_of({})


def test_names_that_are_not_ours_are_let_be(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACEKIT_URL", "FACEKIT_API_KEY", "FACEKIT_TAG", "FACEKIT_TEST_ANYTHING", "FACEKITTEN"):
        monkeypatch.setenv(name, "x")
    load_settings()
    assert "POSTGRES_PASSWORD" not in environment()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("FACEKIT_MAX_PIXLES", "FACEKIT_MAX_PIXELS"),
        ("FACEKIT_DATABASE", "FACEKIT_DATABASE_URL"),
        ("FACEKIT_APIKEY", "FACEKIT_API_KEY"),
        ("FACEKIT_LOGLEVEL", "FACEKIT_LOG_LEVEL"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        settings_of({name: "1"})
    assert str(refused.value) == f"{name}: there is no such setting; the nearest is {nearest}"


def test_each_bad_value_is_one_line_and_what_follows_from_it_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load_settings({"FACEKIT_THREADS": "none", "FACEKIT_DEVICE": "gpu", "FACEKIT_LEASE_S": "inf"})
    assert ended.value.code == 2
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "FACEKIT_DEVICE: 'gpu' cannot be used; accepted is auto, cpu or cuda",
        "FACEKIT_LEASE_S: 'inf' cannot be used; accepted is a number above 0, in seconds",
        "FACEKIT_THREADS: 'none' cannot be used; accepted is a whole number, 1 or more",
    ]


def test_a_file_that_is_not_there_or_not_text_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEKIT_ENV_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsInvalid, match="a file that is there"):
        environment()
    (tmp_path / "binary").write_bytes(b"FACEKIT_PORT=\xff\xfe")
    monkeypatch.setenv("FACEKIT_ENV_FILE", str(tmp_path / "binary"))
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        environment()
