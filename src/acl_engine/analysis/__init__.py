"""Policy verification: joins of views, policy differences, backtests and proofs."""
