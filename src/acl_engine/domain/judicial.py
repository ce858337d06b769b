"""Judicial requests: what an authority may be given by law, and the register of what it was given.

INVARIANTS
- A result is sealed for the authority's key, which stands in the signed policy: whoever handles
  the request can neither read the result nor choose who can.
- Each delivery is registered once, before it leaves.

Source: Postal Law articles 35 and 36 (with the paper of a competent authority, by its officers);
PIPL article 51.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from acl_engine.domain.approvals import Approval


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One delivery. `key` is the fingerprint of the authority's public key, `digest` the SHA-256
    of the sealed bytes; `delivered_at` in epoch seconds. No clear value of the record."""

    case: str
    request: str
    account: str
    authority: str
    key: str
    digest: str
    fields: tuple[str, ...]
    delivered_at: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A result on its way out. `body` is what the authority's private key opens."""

    request_id: str
    disclosure: Disclosure
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the register: the request and its paper, and the delivery if there was one."""

    case: Approval
    delivered: Disclosure | None


class Disclosures(Protocol):
    """The register."""

    def add(self, disclosure: Disclosure) -> None:
        """Register a delivery. A second one of the same case raises StoreError."""
        ...

    def register(self) -> tuple[Entry, ...]:
        """Every judicial request, the newest first."""
        ...


# (public key in base64, case, plain bytes) -> sealed bytes.
Seal = Callable[[str, str, bytes], bytes]
