"""The page Settings: language, disk, worker, machine, and where things lie."""
