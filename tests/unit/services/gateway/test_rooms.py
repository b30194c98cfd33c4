"""The gateway's process stays light: nothing that only workers need is ever loaded into it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# All that it does with photos: each format submitted, and pictures made of one.
AT_WORK = """
import json, sys
from pathlib import Path
from services.common.settings import Settings
from tests.fuzz.seeds import seeds
from tests.unit.services.gateway.conftest import served
import services.gateway.__main__
with served(Settings(home=Path(sys.argv[1]))) as api:
    for photos in seeds().values():
        location = api.detect(photos[0]).headers["location"]
        assert api.get(f"{location}/images/thumbnail").status_code == 200
print(json.dumps(sorted(sys.modules)))
"""
NOT_HERE = ("cv2", "onnxruntime", "openvino", "services.common.work", "services.common.inference")


def test_no_room_of_the_workers_is_loaded_into_the_gateway(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", AT_WORK, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert "services.gateway.acceptance" in loaded
    assert [
        name for name in loaded if name in NOT_HERE or name.startswith(tuple(f"{room}." for room in NOT_HERE))
    ] == []
