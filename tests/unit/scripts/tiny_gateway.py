"""Stands in for the gateway: answers every GET with 200."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ["FACEKIT_PORT"])), Handler).serve_forever()
