"""Composition root: settings, the wiring of ports to adapters, and the Engine facade."""
