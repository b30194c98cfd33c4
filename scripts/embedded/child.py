"""Child: one process of the embedded system, its log file, and what it says there."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LOG_BYTES = 20_000_000
STEADY_S = 60.0
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Child:
    """`python -m <module>` under the guard, with its output in `<folder>/<name>.log` (the one before: `.log.1`).

    Its temporary files are in `scratch`, which is emptied before each start: one that is killed leaves its own behind.
    """

    def __init__(self, name: str, module: str, environment: Mapping[str, str], log_folder: Path, scratch: Path) -> None:
        self.name = name
        self.log_path = log_folder / f"{name}.log"
        self.restarts = 0
        self._command = [sys.executable, "-m", "scripts.embedded.guard", module]
        self._scratch = scratch
        self._environment = {**environment, "TMPDIR": str(scratch)}
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._read_bytes = 0
        self._rotate()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            # Its own session: Ctrl-C in the terminal reaches the launcher, which stops everyone in order.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )
        self._started_at = time.monotonic()

    def restart_delay_s(self) -> float:
        """How long to wait before the next start: longer each time, from the beginning after a steady minute."""
        if time.monotonic() - self._started_at > STEADY_S:
            self._failures = 0
        delay_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        self.restarts += 1
        return delay_s

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """False when it still runs after that long."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(timeout_s, 0.0))
        except subprocess.TimeoutExpired:
            return False
        if self._process.stdin:
            self._process.stdin.close()
        return True

    def new_warnings(self) -> list[str]:
        """Warnings and errors logged since the last call, as one line each."""
        try:
            if self.log_path.stat().st_size < self._read_bytes:
                self._read_bytes = 0
            with self.log_path.open("rb") as log:
                log.seek(self._read_bytes)
                fresh = log.read()
        except FileNotFoundError:
            return []
        whole, _, _ = fresh.rpartition(b"\n")
        if whole:
            self._read_bytes += len(whole) + 1
        if self._read_bytes > MAX_LOG_BYTES:
            self._rotate_while_open()
        return [text for line in whole.splitlines() if (text := _warning(line))]

    def last_lines(self, count: int = 8) -> list[str]:
        try:
            return self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        except FileNotFoundError:
            return []

    def _rotate(self) -> None:
        if self.log_path.exists():
            self.log_path.replace(self.log_path.with_suffix(".log.1"))

    def _rotate_while_open(self) -> None:
        # The child appends to this very file, so it is copied and emptied, not moved.
        shutil.copyfile(self.log_path, self.log_path.with_suffix(".log.1"))
        self.log_path.open("wb").close()
        self._read_bytes = 0


def _warning(line: bytes) -> str | None:
    """The message of a JSON log line at WARNING or above."""
    try:
        entry = json.loads(line)
        level = logging.getLevelNamesMapping().get(str(entry["level"]).upper(), logging.INFO)
        return str(entry["message"]) if level >= logging.WARNING else None
    except (ValueError, KeyError, TypeError):
        return None
