"""The only modules that import torch, transformers, peft, trl, onnxruntime and olive at the top."""
