"""The parameters of a dataset, for who builds something from their declaration without waiting for the rest of the facade."""

from backend.data.params import DatasetParams

__all__ = ["DatasetParams"]
