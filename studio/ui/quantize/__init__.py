"""What stands below the form of the stage quantize: Olive's workflows."""
