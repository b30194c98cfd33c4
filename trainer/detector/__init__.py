"""The face detector: WIDER FACE to a bundle, one verb a module (prepare, train, evaluate, export)."""
