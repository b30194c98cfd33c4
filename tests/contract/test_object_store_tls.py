"""S3 over TLS: what the settings ask for is spoken, and a server whose certificate nobody vouches for is refused."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.common.bootstrap import build
from services.common.errors import Unavailable
from services.common.ports import ObjectStore
from services.common.settings import Settings
from tests.servers import S3Server


@dataclass(frozen=True)
class TlsServer:
    """Where the S3 server answers in TLS, and the certificate it shows, signed by itself."""

    endpoint: str
    certificate: Path


@pytest.fixture
def tls_server(s3_server: S3Server, tmp_path: Path) -> Iterator[TlsServer]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl program to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=facekit test", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(_relay(s3_server.endpoint, context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host, port = listening.sockets[0].getsockname()
    yield TlsServer(f"{host}:{port}", certificate)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    listening.close()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


async def _relay(endpoint: str, context: ssl.SSLContext) -> asyncio.Server:
    """Takes TLS connections on a free loopback port and passes their bytes to the endpoint."""
    host, _, port = endpoint.partition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, behind_writer), pump(behind_reader, writer))

    return await asyncio.start_server(served, "127.0.0.1", 0, ssl=context)


@pytest.fixture
def over_tls(tls_server: TlsServer, s3_server: S3Server, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        store_url="s3://over-tls",
        s3_endpoint=tls_server.endpoint,
        s3_access_key=s3_server.access_key,
        s3_secret_key=s3_server.secret_key,
        s3_secure=True,
    )


@contextmanager
def opened(settings: Settings) -> Iterator[ObjectStore]:
    ports = build(settings)
    try:
        yield ports.store
    finally:
        ports.close()


def test_a_trusted_server_is_spoken_to_in_tls(
    over_tls: Settings, tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.certificate))
    with opened(over_tls) as store:
        store.put("jobs/1/original", b"photo" * 100_000)
        assert store.get("jobs/1/original") == b"photo" * 100_000
        assert list(store.keys("jobs/")) == ["jobs/1/original"]
        store.delete_prefix("jobs/")


def test_a_server_nobody_vouches_for_is_refused(over_tls: Settings) -> None:
    with opened(over_tls) as store, pytest.raises(Unavailable):
        store.put("jobs/1/original", b"photo")


def test_plain_http_does_not_get_through_to_it(over_tls: Settings) -> None:
    with opened(over_tls.model_copy(update={"s3_secure": False})) as store, pytest.raises(Unavailable):
        store.ping()
