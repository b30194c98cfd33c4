"""What models run and train on in tests: FACEKIT_TEST_DEVICE, `cpu` by default; `make test-gpu` says `cuda`."""

from __future__ import annotations

import os
from typing import Final

from services.common.inference.onnx_session import Device

DEVICE: Final[Device] = "cuda" if os.environ.get("FACEKIT_TEST_DEVICE") == "cuda" else "cpu"
