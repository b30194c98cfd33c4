"""The model registry in the object store: models/<task>/<version>/ and the pointer models/<task>/current."""

from __future__ import annotations

import re
from pathlib import Path

from services.common.errors import BundleInvalid, ObjectMissing
from services.common.inference.bundle import BUNDLE_FILES, Bundle, load_bundle
from services.common.ports import ObjectStore

_VERSION = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$")


def _key(task: str, version: str, name: str) -> str:
    return f"models/{task}/{version}/{name}"


def publish_bundle(store: ObjectStore, bundle: Bundle) -> str:
    """Uploads a checked bundle, reads it back whole, and only then moves `current` to it. Returns name@version."""
    meta = bundle.meta
    for name in BUNDLE_FILES:
        content = (bundle.folder / name).read_bytes()
        key = _key(meta.task, meta.version, name)
        store.put(key, content)
        if store.get(key) != content:
            raise BundleInvalid(f"{key} did not survive the upload; `current` was not moved")
    store.put(f"models/{meta.task}/current", meta.version.encode())
    return meta.label


def current_version(store: ObjectStore, task: str) -> str | None:
    """The published version of a task's model, None when nothing was ever published. Raises BundleInvalid."""
    try:
        version = store.get(f"models/{task}/current").decode("utf-8", "replace").strip()
    except ObjectMissing:
        return None
    if not _VERSION.match(version):
        raise BundleInvalid(f"models/{task}/current names no version: {version[:80]!r}")
    return version


def fetch_bundle(store: ObjectStore, task: str, version: str, folder: Path) -> Bundle:
    """Downloads a published bundle into the folder and checks it. Raises BundleInvalid, also for one incomplete."""
    target = folder / task / version
    target.mkdir(parents=True, exist_ok=True)
    for name in BUNDLE_FILES:
        try:
            (target / name).write_bytes(store.get(_key(task, version, name)))
        except ObjectMissing:
            raise BundleInvalid(f"published bundle {task}@{version} has no {name}") from None
    bundle = load_bundle(target)
    if (bundle.meta.task, bundle.meta.version) != (task, version):
        raise BundleInvalid(f"models/{task}/{version} holds {bundle.meta.task} {bundle.meta.version}")
    return bundle
