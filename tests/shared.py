"""The one folder beside the project that tests look into: large data sets that are no part of the repository.

`FACEKIT_TEST_SHARED` names it; by default it is `shared` beside the repository. Tests that need it are skipped without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_BESIDE: Final = Path(__file__).resolve().parents[2] / "shared"
SHARED: Final = Path(os.environ.get("FACEKIT_TEST_SHARED") or _BESIDE)
