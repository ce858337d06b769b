"""A simulated telephone provider: binds, rings, forgets. The number lives in its memory alone."""

import secrets

from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text

UNBOUND = Text("dial.unbound", "绑定已失效", "the binding is over", "重新拨号", "dial again")
NO_PROVIDER = Text(
    "dial.no-provider",
    "未配置电话服务商",
    "no telephone provider is configured",
    "启动引擎时给出 provider",
    "give one when the engine is opened",
)


class NoProvider:
    """A real world without a provider: a dial is refused, not pretended."""

    def bind(self, number: str, expires_at: int) -> str:
        raise StoreError(NO_PROVIDER.of())

    def call(self, reference: str) -> str:
        raise StoreError(NO_PROVIDER.of())

    def unbind(self, reference: str) -> None:
        return None


class SimulatedProvider:
    """Implements `domain.ports.DialProvider`. Every call is answered."""

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}

    def bind(self, number: str, expires_at: int) -> str:
        reference = f"axb-{secrets.token_hex(8)}"
        self._bound[reference] = number
        return reference

    def call(self, reference: str) -> str:
        if reference not in self._bound:
            raise StoreError(UNBOUND.of())
        return "answered"

    def unbind(self, reference: str) -> None:
        self._bound.pop(reference, None)
