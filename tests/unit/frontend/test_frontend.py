"""The page's own tests, which Node.js runs, and the types of its modules, which TypeScript checks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TSC = ROOT / "tests" / "e2e" / "page" / "node_modules" / ".bin" / "tsc"


def needed(present: bool, what: str) -> None:
    """Missing tools skip the tests on someone's machine, and fail them in CI."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"the page's tests need {what}")
    pytest.skip(f"the page's tests need {what}")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules() -> None:
    needed(shutil.which("node") is not None, "Node.js 20 or newer")
    run("node", "--test", *sorted(str(path) for path in Path(__file__).parent.glob("*.test.js")))


def test_types() -> None:
    needed(TSC.exists(), "`make page-tools`")
    run(str(TSC), "--project", "frontend/jsconfig.json")
