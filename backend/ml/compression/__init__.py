"""Pruning, quantization, export to ONNX with Olive."""
