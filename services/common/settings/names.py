"""Names with the prefix FACEKIT_ that are no settings, and what reads them."""

from __future__ import annotations

from typing import Final

ENV_FILE: Final = "FACEKIT_ENV_FILE"

OTHER_NAMES: Final = {
    ENV_FILE: "another file in place of `.env` for programs outside of the stack; `/dev/null` for none",
    "FACEKIT_URL": "the server that the terminal client asks; by default the one at `FACEKIT_HOST` and `FACEKIT_PORT`",
    "FACEKIT_API_KEY": "the key of the terminal client",
    "FACEKIT_IMAGES": "compose: registry and first part of the names of the images; `facekit`",
    "FACEKIT_TAG": "compose: the version of the images; `latest`",
    "FACEKIT_VERSION": "compose: the version on the label of an image; `make` sets it",
    "FACEKIT_REVISION": "compose: the commit on the label of an image; `make` sets it",
}
# Whole families.
OTHER_PREFIXES: Final = {
    "FACEKIT_TEST_": "tests: what they may use (`FACEKIT_TEST_COMPOSE`, `FACEKIT_TEST_DEVICE`, `FACEKIT_TEST_LOGS`, "
    "`FACEKIT_TEST_SHARED`)",
    "FACEKIT_PAGE_": "tests of the page: photos, addresses and what to measure, handed from Python to node",
}


def is_other(name: str) -> bool:
    return name in OTHER_NAMES or name.startswith(tuple(OTHER_PREFIXES))
