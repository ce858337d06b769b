"""Composition root: settings, the wiring of ports to adapters, and the Engine facade."""

from acl_engine.bootstrap.engine import Engine, Weakened
from acl_engine.bootstrap.keys import Keys

__all__ = ["Engine", "Keys", "Weakened"]
