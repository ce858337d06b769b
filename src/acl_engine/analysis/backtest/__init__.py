"""Backtest: a policy, asked about the accesses of the past. Needs numpy (`[analysis]`)."""
