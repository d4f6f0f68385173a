"""The page Compare: charts, table and single answers of the models that were measured on the same rows."""
