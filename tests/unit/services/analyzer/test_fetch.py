"""`scripts.deployment.fetch_deepface_graphs` against a server of our own: whole, broken off, wrong, not there."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.deployment.fetch_deepface_graphs import main
from services.analyzer.graphs import GRAPHS, weights_folder
from tests.unit.services.analyzer.tiny_graph import tiny_graph


class Mirror:
    """Serves the four files; `breaks_after` bytes it hangs up, as a bad line does."""

    def __init__(self) -> None:
        self.files = {graph.file_name: tiny_graph(name, seed=4) for name, graph in GRAPHS.items()}
        self.breaks_after: int | None = None
        self.ranges: list[str | None] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = mirror.files.get(self.path.lstrip("/"))
                mirror.ranges.append(self.headers.get("Range"))
                if content is None:
                    self.send_error(404)
                    return
                start = int(re.sub(r"\D", "", self.headers.get("Range") or "0"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start : mirror.breaks_after])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror()
    yield made
    made.server.shutdown()
    made.server.server_close()


def fetch(mirror: Mirror, home: Path, *attributes: str) -> int:
    return main([*attributes, "--home", str(home), "--mirror", mirror.url])


def test_all_four_arrive_and_a_second_run_downloads_nothing(mirror: Mirror, tmp_path: Path) -> None:
    assert fetch(mirror, tmp_path) == 0
    assert {file.name: file.read_bytes() for file in weights_folder(tmp_path).iterdir()} == mirror.files
    asked = len(mirror.ranges)
    assert fetch(mirror, tmp_path) == 0
    assert len(mirror.ranges) == asked


def test_a_broken_download_goes_on_where_it_stopped(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.breaks_after = 700
    assert fetch(mirror, tmp_path, "age") == 1
    assert "again" in capsys.readouterr().err
    target = weights_folder(tmp_path) / GRAPHS["age"].file_name
    assert not target.exists()
    mirror.breaks_after = None
    assert fetch(mirror, tmp_path, "age") == 0
    assert mirror.ranges == [None, "bytes=700-"]
    assert target.read_bytes() == mirror.files[target.name]


def test_a_part_that_is_whole_already_is_taken(mirror: Mirror, tmp_path: Path) -> None:
    target = weights_folder(tmp_path) / GRAPHS["age"].file_name
    target.parent.mkdir(parents=True)
    target.with_name(f"{target.name}.part").write_bytes(mirror.files[target.name])
    assert fetch(mirror, tmp_path, "age") == 0
    assert target.is_file()


def test_a_page_instead_of_a_graph_is_not_kept(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files[GRAPHS["age"].file_name] = b"<html>moved</html>"
    assert fetch(mirror, tmp_path, "age") == 1
    assert "does not load" in capsys.readouterr().err
    assert not any(weights_folder(tmp_path).iterdir())


def test_no_such_file_and_no_network_end_with_a_sentence(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files.clear()
    assert fetch(mirror, tmp_path, "age") == 1
    assert "404" in capsys.readouterr().err
    assert main(["age", "--home", str(tmp_path), "--mirror", "http://127.0.0.1:1"]) == 1
    assert GRAPHS["age"].file_name in capsys.readouterr().err
