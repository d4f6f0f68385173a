"""What stands below the forms of the page Quantize: the result of a search, and Olive's workflows."""
