"""What an operation works with: the engine, the callers' desk, and the token that came along."""

from dataclasses import dataclass, field

from acl_engine.bootstrap.access import Access
from acl_engine.bootstrap.central import Central
from acl_engine.bootstrap.engine import Engine


@dataclass(frozen=True, slots=True)
class Asking:
    engine: Engine
    central: Central
    access: Access
    token: str = field(repr=False)
