"""Real servers for tests: PostgreSQL, Redis and S3, on free loopback ports and in folders of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg2

START_TIMEOUT_S = 60.0


class ServerMissing(Exception):
    """A server's program is not on this machine; the message names the package that has it."""


@dataclass
class RedisServer:
    """A Redis that can be stopped and started again on its port, as empty as a crash leaves it."""

    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = _program("redis-server", "redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = _spawn([program, *options, "--dir", str(self.folder)], self.folder / "redis.log")
        _wait_until(lambda: _answers_ping(self.port), self._process, self.folder / "redis.log")

    def stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


@dataclass(frozen=True)
class S3Server:
    """An S3 endpoint over TCP and the credentials it takes."""

    endpoint: str
    access_key: str = "facekit-test"
    secret_key: str = "facekit-test-secret"


@contextmanager
def redis() -> Iterator[RedisServer]:
    """Raises ServerMissing."""
    with _folder() as folder:
        server = RedisServer(free_port(), folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database whose user may make others. Raises ServerMissing."""
    initdb, program = _postgres_program("initdb"), _postgres_program("postgres")
    # PostgreSQL refuses to run as root.
    user = _ordinary_user() if os.geteuid() == 0 else None
    with _folder(user) as folder:
        data, log, port = folder / "data", folder / "postgres.log", free_port()
        make = [initdb, "-D", str(data), "-U", "facekit", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        process = _spawn([program, "-D", str(data), *options, "-c", "max_connections=200"], log, user=user)
        try:
            _wait_until(lambda: "ready to accept connections" in log.read_text(), process, log)
            yield f"postgresql://facekit@127.0.0.1:{port}/postgres"
        finally:
            # PostgreSQL's immediate shutdown: it waits for no client and writes nothing that is about to be removed.
            _end(process, signal.SIGQUIT)


def new_postgres_database(server_url: str) -> str:
    """The URL of a new, empty database on that server."""
    name = f"facekit_{uuid.uuid4().hex[:12]}"
    connection = psycopg2.connect(server_url)
    try:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    finally:
        connection.close()
    return f"{server_url.rpartition('/')[0]}/{name}"


@contextmanager
def s3() -> Iterator[S3Server]:
    """MinIO when it is on the machine, moto's server otherwise. Raises ServerMissing."""
    port = free_port()
    server = S3Server(f"127.0.0.1:{port}")
    minio = shutil.which("minio")
    if minio is None and find_spec("moto") is None:
        raise ServerMissing("neither a minio program nor the Python package moto[server] is here")
    with _folder() as folder:
        if minio is not None:
            command = [minio, "server", "--address", server.endpoint, str(folder / "data")]
        else:
            command = [sys.executable, "-P", str(Path(__file__).with_name("s3_imitation.py")), str(port)]
        log = folder / "s3.log"
        environment = {"MINIO_ROOT_USER": server.access_key, "MINIO_ROOT_PASSWORD": server.secret_key}
        process = _spawn(command, log, environment=environment)
        try:
            _wait_until(lambda: _answers_http(f"http://{server.endpoint}/"), process, log)
            yield server
        finally:
            _end(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _folder(owner: str | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="facekit-test-", ignore_cleanup_errors=True) as name:
        if owner is not None:
            shutil.chown(name, owner)
        yield Path(name)


def _spawn(
    command: Sequence[str], log: Path, *, user: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            user=user,
            env=os.environ | (environment or {}),
        )


def _end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    process.send_signal(number)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            _end(process)
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _answers_http(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ServerMissing(f"{name} is not here: install the package {package}")
    return found


def _postgres_program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else _program(name, "postgresql")


def _ordinary_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
