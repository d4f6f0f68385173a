"""Answers: one ChatEngine protocol over torch models, ONNX Runtime GenAI folders and OpenAI-compatible endpoints."""
