"""acl_engine: a least-privilege engine for personal data that replays real leaks against itself.

The public names below load on first use (PEP 562), so that `import acl_engine.decision` pulls in
no database, web or crypto package.
"""

from importlib import import_module
from typing import Any

_LAZY = {
    "AccessDenied": "acl_engine.domain.errors",
    "AclError": "acl_engine.domain.errors",
    "CompiledPolicy": "acl_engine.decision",
    "Engine": "acl_engine.bootstrap",
}

__all__ = ["AccessDenied", "AclError", "CompiledPolicy", "Engine"]


def __getattr__(name: str) -> Any:
    try:
        return getattr(import_module(_LAZY[name]), name)
    except KeyError:
        raise AttributeError(f"module `acl_engine` has no attribute `{name}`") from None


def __dir__() -> list[str]:
    return sorted(__all__)
