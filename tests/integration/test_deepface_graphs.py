"""FACEKIT_ANALYZER_GRAPHS=deepface, the whole system: a job without graphs says what to run, one with them works."""

from __future__ import annotations

import time

import requests

from services.analyzer.graphs import DEEPFACE_VERSION, FETCH_COMMAND, GRAPHS, weights_folder
from services.common.schemas import ATTRIBUTES
from tests import photos
from tests.integration.stack import Stack
from tests.unit.services.analyzer.tiny_graph import tiny_graph


def test_deepfaces_own_graphs_once_they_are_there(own_stack: Stack) -> None:
    home = own_stack.home / "deepface"
    own_stack.set(analyzer_graphs="deepface", deepface_home=home)
    own_stack.start("gateway", "detector", "analyzer")
    own_stack.wait_ready(("detector", "analyzer"))
    shown = {model["task"]: model for model in requests.get(f"{own_stack.url}/v1/models", timeout=30).json()["models"]}
    assert set(shown) == {"detector", *ATTRIBUTES}
    assert all(shown[attribute]["name"] == f"deepface-{attribute}" for attribute in ATTRIBUTES)

    began = time.monotonic()
    failed = own_stack.finished(own_stack.detect(photos.one_face(), analyze="age,gender").json()["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "weights_unavailable")
    assert FETCH_COMMAND in failed["error"]["detail"]
    assert time.monotonic() - began < 30, "it fails at once: a retry could not help"
    plain = own_stack.finished(own_stack.detect(photos.one_face()).json()["id"])
    assert plain["status"] == "succeeded", "whoever asks for no estimate is not concerned"

    weights_folder(home).mkdir(parents=True)
    for attribute, graph in GRAPHS.items():
        (weights_folder(home) / graph.file_name).write_bytes(tiny_graph(attribute, seed=9))
    job = own_stack.finished(own_stack.detect(photos.one_face(), analyze="age,gender").json()["id"])
    assert job["status"] == "succeeded", "and the worker needs no restart"
    assert job["models"]["age"] == f"deepface-age@{DEEPFACE_VERSION}"
    assert set(job["models"]) == {"detector", "age", "gender"}
