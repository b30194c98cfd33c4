"""Imports whatever the processes of the embedded system will, so that their first start finds it compiled.

`python -m scripts.environment.warm`, once after an installation: compiling all of the environment instead takes five
times as long.
"""

from __future__ import annotations

import importlib
import os
import pkgutil

import services

# Modules that are imported late, inside functions.
LATE = (
    "celery.worker.consumer",
    "deepface.commons.onnx_utils",
    "deepface.modules.detection",
    "deepface.modules.modeling",
    "onnxruntime",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
)


def main() -> None:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # see services/analyzer/deepface_client.py
    os.environ["DEEPFACE_BACKEND_ENGINE"] = "onnx"
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if ".migrations" not in module.name:  # Alembic runs those
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)


if __name__ == "__main__":
    main()
