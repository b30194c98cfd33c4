"""Settings choose the adapters, and a setting nothing answers to is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.bootstrap import SettingInvalid, build
from services.common.settings import Settings
from services.gateway.migrate import migrate
from tests.contract.job_moves import new_job
from tests.servers import RedisServer, S3Server, free_port


def test_embedded_needs_a_folder_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "a folder's state")
    migrate(settings.effective_database_url)
    ports = build(settings)
    job, _ = ports.jobs.insert(new_job(), max_active=1)
    ports.store.put(f"jobs/{job.id}/original", b"x")
    ports.queue.publish("detector", job.id)
    for port in (ports.store, ports.jobs, ports.queue):
        port.ping()
    ports.close()
    assert {path.name for path in (tmp_path / "a folder's state").iterdir()} >= {"facekit.db", "objects"}


def test_servers_are_another_set_of_urls(
    tmp_path: Path, postgres_jobs_url: str, redis_server: RedisServer, s3_server: S3Server
) -> None:
    settings = Settings(
        home=tmp_path / "unused",
        database_url=postgres_jobs_url,
        store_url="s3://facekit",
        broker_url=redis_server.url,
        s3_endpoint=s3_server.endpoint,
        s3_access_key=s3_server.access_key,
        s3_secret_key=s3_server.secret_key,
    )
    ports = build(settings)
    for port in (ports.store, ports.jobs, ports.queue):
        port.ping()
    ports.close()
    assert not (tmp_path / "unused").exists()


def test_nothing_is_connected_to_before_it_is_needed(tmp_path: Path) -> None:
    build(
        Settings(
            home=tmp_path,
            database_url=f"postgresql://facekit@127.0.0.1:{free_port()}/facekit",
            store_url="s3://facekit",
            broker_url=f"redis://127.0.0.1:{free_port()}/0",
            s3_endpoint=f"127.0.0.1:{free_port()}",
            s3_access_key="a",
            s3_secret_key="b",
        )
    ).close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("database_url", "postgresql://user:secret@host:port/name"),
        ("broker_url", "redis://:secret@host:port/0"),
        ("store_url", "s3://Secret_bucket"),
        ("s3_endpoint", "http://secret:9000"),
    ],
)
def test_a_value_of_the_wrong_shape_names_the_setting_and_what_is_accepted(
    tmp_path: Path, setting: str, value: str
) -> None:
    settings = Settings.model_validate({"home": tmp_path, "store_url": "s3://facekit", setting: value})
    with pytest.raises(SettingInvalid, match=f"^FACEKIT_{setting.upper()} cannot be used; accepted is ") as invalid:
        build(settings)
    assert "ecret" not in invalid.value.detail


def test_the_queue_in_a_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"^FACEKIT_BROKER_URL .*redis://host/0, or leave it out: "):
        build(Settings(home=tmp_path, broker_url=f"filesystem://{tmp_path}/queue"))


@pytest.mark.parametrize("setting", ["database_url", "store_url", "broker_url"])
def test_an_unknown_kind_of_url_names_the_setting_and_keeps_its_secrets(tmp_path: Path, setting: str) -> None:
    settings = Settings.model_validate({"home": tmp_path, setting: "gopher://user:secret@host"})
    with pytest.raises(SettingInvalid) as invalid:
        build(settings)
    assert f"FACEKIT_{setting.upper()}" in invalid.value.detail and "gopher" in invalid.value.detail
    assert "secret" not in invalid.value.detail
