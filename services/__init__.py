"""facekit's running half: gateway and the three model workers, one folder a service."""

import os

# ONNX Runtime reports home unless this stands before it is first imported; facekit sends nothing anywhere.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
