"""HTTP skin: central login and the lookup API over the same engine."""
