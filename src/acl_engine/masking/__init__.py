"""Obligation handling: what is shown of a value, and how strong what is hidden stays."""
