"""The siamese verifier: LFW → aligned chips → shared tower → calibrated ONNX bundle."""
