"""Models in memory: engines on torch and ONNX Runtime, decoders of several answers at once, loading."""
