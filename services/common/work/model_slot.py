"""The one model a worker serves with: loaded once, swapped between jobs when the registry publishes another."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from services.common.errors import BundleInvalid, FacekitError
from services.common.inference.bundle import Bundle, load_bundle
from services.common.inference.registry import current_version, fetch_bundle
from services.common.ports import ObjectStore
from services.common.settings import Settings
from services.common.work.stage import Model, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded(Generic[Model]):
    """A model with what it was loaded from; `views` is what the API tells about each of its models, by task
    (schemas.ModelView without `workers`), made once because every message a worker takes reports it."""

    model: Model
    bundles: Mapping[str, Bundle]
    views: Mapping[str, Mapping[str, Any]]


def _view(stage: str, bundle: Bundle) -> dict[str, Any]:
    meta = bundle.meta
    return {
        "task": meta.task,
        "name": meta.name,
        "version": meta.version,
        "stage": stage,
        "metrics": meta.metrics,
        "parameters": meta.parameters,
        "trained_on": meta.trained_on,
        "licence": meta.licence,
        "sha256": meta.sha256,
        "card": bundle.card,
    }


class ModelSlot(Generic[Model]):
    """`current` is what a job takes when it starts; a job in flight keeps the model it took."""

    def __init__(self, stage: Stage[Model], store: ObjectStore, settings: Settings) -> None:
        declared = set(stage.bundle_folders) | set(stage.unbundled)
        if declared != set(stage.spec.tasks):
            raise ValueError(f"the stage {stage.spec.name} loads {sorted(declared)}, not {sorted(stage.spec.tasks)}")
        self._stage = stage
        self._store = store
        self._settings = settings
        self._downloads = Path(tempfile.mkdtemp(prefix=f"facekit-{stage.spec.name}-"))
        weakref.finalize(self, shutil.rmtree, self._downloads, ignore_errors=True)
        self._refused: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self.current = self._load(self._shipped())
        if settings.follow_registry:
            self.refresh()

    def _shipped(self) -> dict[str, Bundle]:
        """Of each task the bundle in the folder of the settings, where there is one, else the one in the source."""
        root = self._settings.bundles
        if root is not None and not root.is_dir():
            raise BundleInvalid(f"FACEKIT_BUNDLES: {root} is no folder")
        return {
            task: load_bundle(root / task if root is not None and (root / task).exists() else folder)
            for task, folder in self._stage.bundle_folders.items()
        }

    def _load(self, bundles: Mapping[str, Bundle]) -> Loaded[Model]:
        views = {task: _view(self._stage.spec.name, bundle) for task, bundle in bundles.items()}
        return Loaded(self._stage.build(bundles, self._settings), bundles, {**views, **self._stage.unbundled})

    def refresh(self) -> bool:
        """Looks at the registry once; True when a new model took over. A bundle that cannot be fetched, checked or
        replayed is refused, once, with a log line, and the old model goes on."""
        with self._lock:
            changed = False
            for task in self._stage.bundle_folders:
                changed = self._refresh_task(task) or changed
            return changed

    def _refresh_task(self, task: str) -> bool:
        version: str | None = None
        try:
            version = current_version(self._store, task)
            serving = self.current.bundles[task].meta
            if version is None or version == serving.version or (task, version) in self._refused:
                return False
            bundle = fetch_bundle(self._store, task, version, self._downloads)
            self.current = self._load({**self.current.bundles, task: bundle})
        except FacekitError as error:
            if not error.retryable and version is not None:
                self._refused.add((task, version))
            log.warning("model %s@%s refused, the old one goes on: %s", task, version, error.detail)
            return False
        except Exception:
            if version is not None:
                self._refused.add((task, version))
            log.exception("model %s@%s refused, the old one goes on", task, version)
            return False
        log.info("model %s now serves, before it %s", bundle.meta.label, serving.label)
        return True
