"""What was measured and answered: evaluations, the answers behind them, reports."""
