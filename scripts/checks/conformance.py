"""The gateway held to its OpenAPI document (`make conformance`): schemathesis makes requests of every operation, right
ones and wrong ones, and compares what comes back with what the document promises.

The gateway is a process of its own, with the page, on an empty folder; no worker runs, so jobs stay queued unless a
request cancels or deletes them. Requests are drawn from a fixed seed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from scripts.embedded.free_port import free_port

ROOT = Path(__file__).resolve().parents[2]
SEED = 1
EXAMPLES = 100  # requests an operation in the fuzzing phase, and call sequences in the stateful one
START_TIMEOUT_S = 60.0
LIMIT_S = 300.0  # usual is one minute on two cores


@contextmanager
def gateway(home: Path) -> Iterator[str]:
    """The URL of a gateway that has come up. Raises RuntimeError when it does not."""
    port = free_port()
    settings = {
        "FACEKIT_ENV_FILE": os.devnull,
        "FACEKIT_HOME": str(home),
        "FACEKIT_HOST": "127.0.0.1",
        "FACEKIT_PORT": str(port),
        "FACEKIT_FRONTEND": str(ROOT / "frontend"),
        "FACEKIT_LOG_LEVEL": "WARNING",
        "FACEKIT_MAX_QUEUED": "1000000",  # nobody works, and a full queue would hide whatever comes after it
        "FACEKIT_MAX_WAIT_S": "0.05",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FACEKIT_")}
    with subprocess.Popen([sys.executable, "-m", "services.gateway"], cwd=ROOT, env=inherited | settings) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _answers(f"{url}/healthz"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the gateway did not come up")
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def main() -> int:
    with tempfile.TemporaryDirectory() as home, gateway(Path(home) / "state") as url:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--seed", str(SEED)]
        command += ["--max-examples", str(EXAMPLES), "--generation-database", "none", "--continue-on-failure"]
        command += ["--warnings", "off", *sys.argv[1:]]
        hooks = {"SCHEMATHESIS_HOOKS": "scripts.checks.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **hooks, "NO_PROXY": "127.0.0.1"}
        # In a folder of its own, where it keeps what it found: the next run is to be the same.
        return subprocess.run(command, cwd=home, env=environment, check=False, timeout=LIMIT_S).returncode


if __name__ == "__main__":
    sys.exit(main())
