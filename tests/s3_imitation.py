"""moto's S3 over TCP: `python -P tests/s3_imitation.py PORT`. One request at a time, since moto answers 500 where two
writers meet at a key, and S3 does not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

if __name__ == "__main__":
    moto = DomainDispatcherApplication(create_backend_app)
    alone = threading.Lock()

    def one_at_a_time(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with alone:
            return moto(environ, start_response)

    run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
