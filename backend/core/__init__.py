"""The ground that everything stands on: errors and messages, views, settings, the contract of a stage, references, units."""
