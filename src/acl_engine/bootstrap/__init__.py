"""Composition root: settings, the wiring of ports to adapters, and the Engine facade.

Names load on first use (PEP 562): an application that embeds `bootstrap.embedding` needs none of
the packages of the company's own login and audit log.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acl_engine.bootstrap.engine import Engine, Weakened
    from acl_engine.bootstrap.keys import Keys

_LAZY = {"Engine": "engine", "Keys": "keys", "Weakened": "engine"}

__all__ = ["Engine", "Keys", "Weakened"]


def __getattr__(name: str) -> Any:
    try:
        return getattr(import_module(f"acl_engine.bootstrap.{_LAZY[name]}"), name)
    except KeyError:
        raise AttributeError(f"module `acl_engine.bootstrap` has no attribute `{name}`") from None
