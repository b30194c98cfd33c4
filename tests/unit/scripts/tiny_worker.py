"""Stands in for a model worker: consumes at once, has a temporary folder, fails when its home has a file `fail`."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

home = Path(os.environ["FACEKIT_HOME"])
beat = Path(os.environ["FACEKIT_HEARTBEAT_FILE"])
if (home / "fail").exists():
    sys.exit("cannot start: the bundle is damaged")
tempfile.mkdtemp(prefix="model-")
beat.touch()
print(json.dumps({"level": "INFO", "message": "nothing to tell"}), flush=True)
print(json.dumps({"level": "WARNING", "message": f"{beat.name} runs low"}), flush=True)
while True:
    time.sleep(0.02)
