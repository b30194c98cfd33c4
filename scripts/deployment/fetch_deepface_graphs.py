"""Downloads DeepFace's own graphs (about 1.6 GB) for FACEKIT_ANALYZER_GRAPHS=deepface: resumable, checked, loaded once.

Without them, and without this, the analyzer serves facekit's bundled graphs and needs no download.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.analyzer.graphs import GRAPHS, check_contract, weights_folder
from services.common.errors import WeightsUnavailable
from services.common.settings import load_settings

BLOCK_BYTES: Final = 1 << 20
TIMEOUT_S: Final = 30.0


class FetchFailed(Exception):
    """A sentence for whoever runs the script."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when every asked graph is in place, 1 with a sentence on stderr when one is not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.deployment.fetch_deepface_graphs", description=__doc__)
    parser.add_argument("attributes", nargs="*", help=f"of {', '.join(GRAPHS)} (default: all four)")
    parser.add_argument("--home", type=Path, help="DeepFace's home (default: FACEKIT_DEEPFACE_HOME, or yours)")
    parser.add_argument("--mirror", help="a URL under which the four files lie, in place of DeepFace's own sources")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.attributes) - set(GRAPHS):
        parser.error(f"no such attribute: {', '.join(sorted(unknown))}")
    home = arguments.home or load_settings().deepface_home or Path.home()
    for attribute in arguments.attributes or GRAPHS:
        try:
            fetch(attribute, home, _sources(attribute, arguments.mirror))
        except FetchFailed as error:
            print(f"{GRAPHS[attribute].file_name}: {error}", file=sys.stderr)
            return 1
    return 0


def fetch(attribute: str, home: Path, sources: Sequence[str]) -> Path:
    """Puts one graph into `home`, from the first source that has it. One that is there and loads is kept. Raises
    FetchFailed; what was downloaded by then stays in a .part file, from which the next run goes on."""
    target = weights_folder(home) / GRAPHS[attribute].file_name
    if target.is_file() and _fault(target, attribute) is None:
        print(f"{target.name}: in place, {_megabytes(target.stat().st_size)}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    faults = []
    for source in sources:
        try:
            download(source, part)
        except (OSError, FetchFailed) as error:
            faults.append(f"{source}: {error}")
            continue
        fault = _fault(part, attribute)
        if fault is None:
            part.replace(target)
            print(f"{target.name}: done, it loads and answers as it should")
            return target
        part.unlink()  # whole, and still not a graph: nothing to go on from
        faults.append(f"{source}: {fault}")
    raise FetchFailed("; ".join(faults) or "no source")


def download(source: str, part: Path) -> None:
    """Appends to `part` what it lacks of `source`. Raises OSError (which urllib's errors are) without an answer within
    TIMEOUT_S, and FetchFailed when the sizes do not agree at the end."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(source, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have == _total(error.headers.get("Content-Range")):
            return  # the file was whole already
        if error.code == 416:
            part.unlink()
        raise
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        total = _total(response.headers.get("Content-Range")) if resumed else int(length) if length else None
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            while block := response.read(BLOCK_BYTES):
                file.write(block)
                done += len(block)
                _progress(part.stem, done, total)
    print(file=sys.stderr)
    if total is not None and done != total:
        raise FetchFailed(f"got {done} of {total} bytes; run the command again to go on")


def _sources(attribute: str, mirror: str | None) -> list[str]:
    """DeepFace's own addresses for the graph."""
    graph = GRAPHS[attribute]
    if mirror is not None:
        return [f"{mirror.rstrip('/')}/{graph.file_name}"]
    module = importlib.import_module(f"deepface.models.demography.onnx.{graph.client}")
    return list(module.WEIGHTS_URL)


def _fault(file: Path, attribute: str) -> str | None:
    """Why a file is not this graph, or None when ONNX Runtime loads it and its answer has DeepFace's shape."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        check_contract(onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"]), attribute)
    except WeightsUnavailable as error:
        return error.detail
    except Exception as error:
        return f"does not load: {error}"
    return None


def _total(content_range: str | None) -> int | None:
    """The whole size in `bytes 5-9/10` or `bytes */10`."""
    size = (content_range or "").rpartition("/")[2]
    return int(size) if size.isdigit() else None


def _progress(name: str, done: int, total: int | None) -> None:
    share = f" of {_megabytes(total)}, {done / total:.0%}" if total else ""
    print(f"\r{name}: {_megabytes(done)}{share}  ", end="", file=sys.stderr, flush=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    raise SystemExit(main())
