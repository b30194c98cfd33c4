"""What an exporter notes in a graph beside the graph: stack traces with the paths of the machine that trained."""

from __future__ import annotations

import onnx


def forget_sources(model: onnx.ModelProto) -> None:
    """Drops every note, in place; the graph computes what it did."""
    graph = model.graph
    for noted in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        noted.doc_string = ""
        del noted.metadata_props[:]
