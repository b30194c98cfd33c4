"""A transport for Celery whose broker is a folder: every message a file, every queue a subfolder.

kombu's own filesystem transport writes a message in place, so a consumer that polls can read it half written and die
of it; it keeps all queues in one folder, which every look at one queue lists; and it moves what it reads through the
system's temporary folder. Here a message appears whole, by a rename, and belongs to whoever removes it.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual

_MESSAGE = ".json"
_DRAIN_S = 0.5
_RELIST_S = 0.2


class Channel(virtual.Channel):
    """Reads `folder` from the transport options. Oldest message first, by the clock of the one machine there is."""

    # A worker that stops puts back what it had taken and not finished; one that is killed loses it.
    do_restore = True

    def _put(self, queue: str, message: dict[str, Any], **_options: Any) -> None:
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        folder = self.folder(queue)
        partial = folder / f"{name}.partial"
        try:
            partial.write_text(json.dumps(message), encoding="utf-8")
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(message), encoding="utf-8")
        os.replace(partial, folder / f"{name}{_MESSAGE}")

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for path in self._waiting(queue):
            with suppress(FileNotFoundError):
                text = path.read_text(encoding="utf-8")
                # Several may have read it; the one that removes it has it.
                path.unlink()
                with suppress(ValueError):
                    message: dict[str, Any] = json.loads(text)
                    return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _new_queue(self, queue: str, **_options: Any) -> None:
        self.folder(queue).mkdir(parents=True, exist_ok=True)

    def _has_queue(self, queue: str, **_options: Any) -> bool:
        return self.folder(queue).is_dir()

    def _waiting(self, queue: str) -> list[Path]:
        folder = self.folder(queue)
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return []
        return [folder / name for name in sorted(names) if name.endswith(_MESSAGE)]

    def folder(self, queue: str) -> Path:
        if not queue or not queue.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"not a queue name: {queue[:80]!r}")
        return Path(self.connection.client.transport_options["folder"]) / queue


class Transport(virtual.Transport):
    """Chosen by its path; `polling_interval`, in seconds, comes with the transport options."""

    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"
    connection_errors = (OSError,)

    def drain_events(self, connection: Any, timeout: float | None = None, **_options: Any) -> None:
        """Delivers one message. Raises TimeoutError when there is none; sooner than asked, so that a worker that
        was told to stop finds out."""
        client, cycle = self.client, self.cycle
        if client is None or cycle is None:
            raise OSError("the connection is closed")
        interval: float = client.transport_options["polling_interval"]
        deadline = time.monotonic() + min(timeout or _DRAIN_S, _DRAIN_S)
        while True:
            seen = self._changed_at()
            with suppress(Empty):
                cycle.get(self._deliver, timeout=timeout)  # type: ignore[no-untyped-call]
                return
            if time.monotonic() >= deadline:
                raise TimeoutError
            # Reading a folder's time costs far less than listing it through kombu. Times are as coarse as the
            # kernel's clock, so a change may hide behind an equal time: now and then it is listed all the same.
            look_again = time.monotonic() + _RELIST_S
            while self._changed_at() == seen and time.monotonic() < look_again:
                time.sleep(interval)

    def driver_version(self) -> str:
        return "1"

    def _changed_at(self) -> list[int]:
        """When each consumed queue last gained or lost a message, in nanoseconds."""
        times = []
        for channel in self.channels:
            for queue in channel._active_queues:
                try:
                    times.append(os.stat(channel.folder(queue)).st_mtime_ns)
                except FileNotFoundError:
                    times.append(0)
        return times
