"""Models: bundles and their registry, ONNX sessions, boxes and aligned chips. The gateway never imports it."""
