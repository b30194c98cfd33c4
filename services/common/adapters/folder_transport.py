"""A transport for Celery whose broker is a folder: every queue a subfolder with a log of its messages and a bell.

kombu's own filesystem transport writes a message in place, so a consumer that polls can read it half written and die
of it; it keeps all queues in one folder, which every look at one queue lists; and it moves what it reads through the
system's temporary folder. Here a message appears whole, belongs to whoever takes it, and a bell wakes who waits for it.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.transport import virtual

from services.common.adapters.folder_bell import FolderBell, ring
from services.common.adapters.message_log import MessageLog

_LOG: Final = "messages"
_DRAIN_S: Final = 0.5
_LOOK_AGAIN_S: Final = 0.2  # a stroke may be lost, with whoever counted it off


class Channel(virtual.Channel):
    """Reads `folder` from the transport options. Oldest message first."""

    # A worker that stops puts back what it had taken and not finished; one that is killed loses it.
    do_restore = True

    def _put(self, queue: str, message: dict[str, Any], **_options: Any) -> None:
        self._log(queue).append(json.dumps(message).encode())
        ring(self.folder(queue))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        log = self._log(queue)
        while (taken := log.take()) is not None:
            with suppress(ValueError):  # cut off
                message: dict[str, Any] = json.loads(taken)
                return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._log(queue))

    def _purge(self, queue: str) -> int:
        log = self._log(queue)
        waiting = len(log)
        log.clear()
        return waiting

    def _new_queue(self, queue: str, **_options: Any) -> None:
        self.folder(queue).mkdir(parents=True, exist_ok=True)

    def _has_queue(self, queue: str, **_options: Any) -> bool:
        return self.folder(queue).is_dir()

    def _log(self, queue: str) -> MessageLog:
        return MessageLog(self.folder(queue) / _LOG)

    def folder(self, queue: str) -> Path:
        if not queue or not queue.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"not a queue name: {queue[:80]!r}")
        return Path(self.connection.client.transport_options["folder"]) / queue


class Transport(virtual.Transport):
    """Chosen by its path. Consumes one queue, as every worker here does."""

    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"
    connection_errors = (OSError,)
    _bell: FolderBell | None = None

    def drain_events(self, connection: Any, timeout: float | None = None, **_options: Any) -> None:
        """Delivers one message. Raises TimeoutError when there is none; sooner than asked, so that a worker that
        was told to stop finds out."""
        cycle = self.cycle
        if self.client is None or cycle is None:
            raise OSError("the connection is closed")
        bell = self._listening()
        deadline = time.monotonic() + min(timeout or _DRAIN_S, _DRAIN_S)
        while True:
            bell.count_off()
            with suppress(Empty):
                cycle.get(self._deliver, timeout=timeout)  # type: ignore[no-untyped-call]
                return
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            bell.wait(min(left_s, _LOOK_AGAIN_S))

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)  # type: ignore[no-untyped-call]
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def driver_version(self) -> str:
        return "1"

    def _listening(self) -> FolderBell:
        """The bell of the consumed queue, listened to from the first call on."""
        if self._bell is None:
            [folder] = {channel.folder(queue) for channel in self.channels for queue in channel._active_queues}
            folder.mkdir(parents=True, exist_ok=True)
            self._bell = FolderBell(folder)
        return self._bell
