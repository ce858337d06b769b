"""Accountability: the append-only record of every look, its proofs and its tracing."""
