"""Variables for programs that a test starts."""

from __future__ import annotations

import os


def without_settings() -> dict[str, str]:
    """This process's variables, without the settings of whoever runs the tests: none of the shell, none of `.env`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FACEKIT_")}
    return plain | {"FACEKIT_ENV_FILE": os.devnull}
