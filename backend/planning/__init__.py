"""From a recipe to jobs: recipes, pre-flight checks and quotes, forecasts, ablations."""
