"""Models, adapters, ONNX models and packages: `/models`, one of them by `/models?model=<id>`."""

from studio.ui.models.page import models_page

models_page()
