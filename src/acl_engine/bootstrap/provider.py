"""Telephone providers without a vendor: none at all, and the switchboard of a synthetic world."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from acl_engine.domain.calls import Ends
from acl_engine.domain.errors import StoreError
from acl_engine.domain.ports import Clock
from acl_engine.domain.text import Text

UNBOUND = Text("dial.unbound", "绑定已失效", "the binding is over", "重新拨号", "dial again")
NO_PROVIDER = Text(
    "dial.no-provider",
    "未配置电话服务商",
    "no telephone provider is configured",
    "设置 telephony.vendor，或启动引擎时给出 provider",
    "set telephony.vendor, or give a provider when the engine is opened",
)
ANSWERED, HOTLINE = "answered", "hotline"


class NoProvider:
    """A real world without a provider: a dial is refused, not pretended."""

    def bind(self, ends: Ends) -> str:
        raise StoreError(NO_PROVIDER.of())

    def call(self, reference: str, ends: Ends) -> str:
        raise StoreError(NO_PROVIDER.of())

    def unbind(self, reference: str) -> None:
        return None


@runtime_checkable
class Controlled(Protocol):
    """A provider that asks before it puts a callback through."""

    def controlled_by(self, may: Callable[[str], bool]) -> None:
        """`may`: whether a callback to the binding of this reference goes to its person."""
        ...


@dataclass(frozen=True, slots=True)
class Rung:
    """What came of ringing an intermediate number: the device that rings, or the hotline, and then
    which control of the pack kept the caller there."""

    to: str
    kept_by: str = ""


class Switchboard:
    """Implements `domain.ports.DialProvider` in memory: it decides whether a call connects.

    One intermediate number is between two ends until it expires or is unbound. Whoever else rings
    it, or rings it later, gets the hotline.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bound: dict[str, Ends] = {}
        self._lines: dict[str, str] = {}
        self._may: Callable[[str], bool] = lambda reference: False

    # --- the provider's side: `DialProvider` ----------------------------------------------------

    def bind(self, ends: Ends) -> str:
        reference = f"axb-{secrets.token_hex(8)}"
        self._bound[reference] = ends
        return reference

    def call(self, reference: str, ends: Ends) -> str:
        pair = self._living(reference)
        if pair is None or (pair.device, pair.number) != (ends.device, ends.number):
            raise StoreError(UNBOUND.of())
        return self._lines.get(pair.number, ANSWERED)

    def unbind(self, reference: str) -> None:
        self._bound.pop(reference, None)

    def controlled_by(self, may: Callable[[str], bool]) -> None:
        self._may = may

    # --- the world's side -----------------------------------------------------------------------

    def line_is(self, number: str, outcome: str) -> None:
        """From now on a call to this number is answered, busy, no-answer or off."""
        self._lines[number] = outcome

    def ring_back(self, caller: str, reference: str) -> Rung:
        """Somebody with the number `caller` rings an intermediate number."""
        pair = self._living(reference)
        if pair is None or pair.device is None or not pair.both_ways:
            return Rung(HOTLINE, "call-ends")
        if pair.number != caller and not pair.anyone:
            return Rung(HOTLINE, "known-caller")
        return Rung(pair.device) if self._may(reference) else Rung(HOTLINE, "call-ends")

    def _living(self, reference: str) -> Ends | None:
        pair = self._bound.get(reference)
        return pair if pair and self._clock.now().timestamp() < pair.expires_at else None
