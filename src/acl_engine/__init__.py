"""acl_engine: a least-privilege engine for personal data that replays real leaks against itself.

The public names below load on first use (PEP 562), so that `import acl_engine.decision` pulls in
no database, web or crypto package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acl_engine.analysis.reach import Reach
    from acl_engine.bootstrap.embedding import Engine, Page, Resource
    from acl_engine.decision.compiled import CompiledPolicy
    from acl_engine.domain.decision import Decision
    from acl_engine.domain.errors import AccessDenied, AclError, PolicyErrors
    from acl_engine.domain.principal import Principal
    from acl_engine.policy.pack import load_pack

_LAZY = {
    "AccessDenied": "acl_engine.domain.errors",
    "AclError": "acl_engine.domain.errors",
    "CompiledPolicy": "acl_engine.decision.compiled",
    "Decision": "acl_engine.domain.decision",
    "Engine": "acl_engine.bootstrap.embedding",
    "Page": "acl_engine.bootstrap.registered",
    "PolicyErrors": "acl_engine.domain.errors",
    "Principal": "acl_engine.domain.principal",
    "Reach": "acl_engine.analysis.reach",
    "Resource": "acl_engine.bootstrap.registered",
    "load_pack": "acl_engine.policy.pack",
}

__all__ = [
    "AccessDenied",
    "AclError",
    "CompiledPolicy",
    "Decision",
    "Engine",
    "Page",
    "PolicyErrors",
    "Principal",
    "Reach",
    "Resource",
    "load_pack",
]


def __getattr__(name: str) -> Any:
    try:
        return getattr(import_module(_LAZY[name]), name)
    except KeyError:
        raise AttributeError(f"module `acl_engine` has no attribute `{name}`") from None


def __dir__() -> list[str]:
    return sorted(__all__)
