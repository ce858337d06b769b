"""The adapter of a branch: between old scanners that hold no key, and an engine or its service.

It signs for the scanner that is plugged into it, passes scans and looks on, and shows two codes.

INVARIANTS
- The scanner's memory is wiped before anything is shown on it and when a session ends, however it
  ends: what it holds at any time is one answer.
- Nothing of an answer stays here; the session's token is the only thing kept, in memory.
"""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AclError
from acl_engine.domain.request import Query
from acl_engine.domain.view import Answer
from acl_engine.identity.devices import sign


class Upstream(Protocol):
    """Who decides: an `Engine` here, or a `RemoteService`. Each raises AclError."""

    def challenge(self, device: str) -> str: ...

    def login(self, login: str, password: str, *, totp: str, device: DeviceProof) -> str: ...

    def ask(self, token: str, query: Query) -> Answer: ...

    def act(self, token: str, query: Query) -> object: ...

    def logout(self, token: str) -> None: ...


class Wire(Protocol):
    """The line to one scanner."""

    def show(self, line: str) -> None: ...

    def wipe(self) -> None:
        """Empty its screen, its list and its memory."""
        ...


class ScannerAdapter:
    """One for a scanner that is plugged in. Not thread-safe: a scanner does one thing at a time."""

    def __init__(self, engine: Upstream, key: Ed25519PrivateKey, scanner: str, wire: Wire) -> None:
        """`key`: the adapter's own, which never leaves it; `scanner`: its id, as enrolled."""
        self._engine, self._key, self._scanner, self._wire = engine, key, scanner, wire
        self._token: str | None = None
        wire.wipe()

    def login(self, login: str, password: str, code: str) -> None:
        """Raises AccessDenied."""
        self.close()
        challenge = self._engine.challenge(self._scanner)
        proof = sign(self._key, self._scanner, challenge)
        self._token = self._engine.login(login, password, totp=code, device=proof)

    def look(self, waybill_no: str) -> None:
        """Show number and route of one parcel. Raises AccessDenied: the scanner is wiped."""
        query = Query("read", "waybill", key=waybill_no, fields=("waybill_no", "route"))
        try:
            answer = self._engine.ask(self._token or "", query)
        except AclError:
            self._wire.wipe()
            raise
        self._wire.wipe()
        for view in answer.views:
            self._wire.show(" ".join(str(value) for value in view.fields.values()))

    def scan(self, action: str, waybill_no: str, to_unit: str = "") -> None:
        """scan_out (to a unit) or scan_in. Raises AccessDenied, InputError."""
        params = {"to_unit": to_unit} if to_unit else {}
        self._wire.wipe()
        self._engine.act(self._token or "", Query(action, "waybill", key=waybill_no, params=params))

    def close(self) -> None:
        """End the session, if there is one; nothing is left on the scanner."""
        token, self._token = self._token, None
        try:
            self._wire.wipe()
        finally:  # a scanner that was unplugged ends its session all the same
            if token is not None:
                self._engine.logout(token)
