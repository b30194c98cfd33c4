"""The photos, crops and chips of one job, by name, in the object store."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from services.common.errors import ObjectMissing
from services.common.jobs import CHIPS, object_key
from services.common.ports import ObjectStore


class JobFiles:
    """`original`, `anchor`, `preview`, `face-0`... of a job. Chips are aligned faces handed from stage to stage."""

    def __init__(self, store: ObjectStore, job_id: str) -> None:
        self._store = store
        self.job_id = job_id

    def get(self, name: str) -> bytes:
        """Raises ObjectMissing."""
        return self._store.get(object_key(self.job_id, name))

    def put(self, name: str, content: bytes) -> None:
        """Not durable: what a worker stores can be made again from the photo, which is."""
        self._store.put(object_key(self.job_id, name), content, durable=False)

    def put_chips(self, chips: NDArray[np.uint8]) -> None:
        """Stores aligned faces (N, 160, 160, 3) uint8 RGB as they are: no lossy step between alignment and model."""
        buffer = io.BytesIO()
        np.save(buffer, chips, allow_pickle=False)
        self.put(CHIPS, buffer.getvalue())

    def get_chips(self) -> NDArray[np.uint8]:
        """Aligned faces (N, 160, 160, 3) uint8 RGB. Raises ObjectMissing, also for an unreadable file."""
        try:
            chips = np.load(io.BytesIO(self.get(CHIPS)), allow_pickle=False)
        except ValueError as error:
            raise ObjectMissing(f"the chips of job {self.job_id} cannot be read") from error
        return np.asarray(chips, dtype=np.uint8)

    def drop_chips(self) -> None:
        """Chips serve the next stage alone; they go when the job has ended."""
        self._store.delete(object_key(self.job_id, CHIPS))
