"""Publishes a bundle to the object store's registry, where running workers that follow it pick it up."""

from __future__ import annotations

from pathlib import Path

from services.common.bootstrap import build_store
from services.common.inference.bundle import load_bundle
from services.common.inference.registry import publish_bundle
from services.common.settings import Settings, load_settings


def publish(bundle_folder: Path, settings: Settings | None = None) -> str:
    """Checks the bundle, uploads it to models/<task>/<version>/ and moves models/<task>/current to it.

    The store is the one `FACEKIT_STORE_URL` and the `FACEKIT_S3_*` settings name. Returns name@version. Ends the
    program for a setting that cannot be used. Raises BundleInvalid, Unavailable.
    """
    settings = settings or load_settings()
    bundle = load_bundle(bundle_folder)
    store = build_store(settings)
    return publish_bundle(store, bundle)
