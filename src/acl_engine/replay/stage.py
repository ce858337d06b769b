"""The stage of one run: a copy of the world, an engine over it, and the cast with what they hold.

INVARIANTS
- Every run starts from the same bytes and touches nothing outside of its copy.
- An actor can use only secrets, devices and values that it holds or has learned.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AccessDenied, AclError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Query
from acl_engine.domain.view import Answer
from acl_engine.identity.devices import sign
from acl_engine.identity.totp import code_at
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database
from acl_engine.storage.payload import phone_index
from acl_engine.storage.tickets import record_contact


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request: the answer as bytes, or where and by which control it stopped."""

    allowed: bool
    line: str = ""
    controls: tuple[str, ...] = ()
    rule: str | None = None
    reason: str = ""
    answer: bytes = b""
    request: str = ""
    named: bool = False
    looked: int = 0

    def views(self) -> list[dict[str, str]]:
        """The records as the returned bytes say them: handle and shown fields."""
        found: list[dict[str, str]] = json.loads(self.answer) if self.answer else []
        return found


@dataclass
class Stage:
    """One world, one pack, one clock."""

    engine: Engine
    clock: SteppedClock
    truth: Truth
    weak: bool
    database: Database
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)
    capabilities: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        template: Database,
        pack: Pack,
        truth: Truth,
        *,
        weak: bool,
        off: frozenset[str] = frozenset(),
        at: str | None = None,
    ) -> "Stage":
        database = template.clone_to_memory()
        clock = SteppedClock(datetime.fromisoformat(at) if at else NOW)
        engine = Engine.open(
            database=database,
            pack=pack,
            clock=clock,
            keys=Keys.synthetic(truth.world.seed),
            replay=Weakened(off),
        )
        return cls(engine, clock, truth, weak, database)

    def close(self) -> None:
        self.database.close()

    def called(self, contact: str, caller: str) -> None:
        """The telephone exchange records a call with the number that the network reported."""
        keys = Keys.synthetic(self.truth.world.seed)
        record_contact(
            self.database,
            contact=contact,
            kind="call",
            made_by="svc-telephony",
            at=int(self.clock.now().timestamp()),
            phone_index=phone_index(keys.index, caller),
        )

    def login(
        self,
        account: str,
        password: str,
        *,
        totp: bool,
        device: str | None,
    ) -> Outcome:
        """Log in and keep the token; a session of the same account and device is reused."""
        if (account, device) in self._tokens:
            return Outcome(True, "login", named=True)
        try:
            proof = self._proof(device) if device else None
            code = self._code(account) if totp else None
            token = self.engine.login(account, password, totp=code, device=proof)
        except AccessDenied as denied:
            return self._denied(denied.request_id)
        self._tokens[account, device] = token
        return Outcome(True, "login", named=True)

    def ask(self, account: str, device: str | None, query: Query) -> Outcome:
        """One look, act or dial with the token of an earlier login."""
        token = self._tokens.get((account, device), "no-session")
        try:
            if query.action == "call":
                called = self.engine.call(token, self.capabilities.get(account, "none"))
                return self._allowed(
                    called.request_id, b'[{"call":"%s"}]' % called.outcome.encode()
                )
            if query.action == Action.DIAL:
                capability = self.engine.dial(token, query)
                self.capabilities[account] = capability.token
                return self._allowed(capability.request_id, b"")
            if query.action in _ACTS:
                return self._allowed(self.engine.act(token, query).request_id, b"")
            return self._answered(self.engine.ask(token, query))
        except AccessDenied as denied:
            return self._denied(denied.request_id)

    def _answered(self, answer: Answer) -> Outcome:
        shown = [{"handle": view.handle, **view.fields} for view in answer.views]
        body = json.dumps(shown, ensure_ascii=False).encode()
        return self._allowed(answer.request_id, body, looked=len(answer.views))

    def _allowed(self, request: str, body: bytes, looked: int = 1) -> Outcome:
        entries = self.engine.audit.of_request(request)
        return Outcome(
            True, "11", answer=body, request=request, named=_named(entries), looked=looked
        )

    def _denied(self, request: str) -> Outcome:
        """Where and why it stopped stands in the audit record of the request id, only there."""
        entries = self.engine.audit.of_request(request)
        last = entries[-1] if entries else None
        if last is None:
            return Outcome(False, "?", request=request)
        return Outcome(
            False,
            last.line,
            last.controls,
            last.rule,
            last.reason,
            request=request,
            named=_named(entries),
        )

    def _proof(self, device: str) -> DeviceProof:
        nonce = self.engine.challenge(device)
        key = Ed25519PrivateKey.from_private_bytes(self.truth.device_key(device))
        return sign(key, device, nonce)

    def _code(self, account: str) -> str:
        """A code from the authenticator. A step gives one login: a person waits for the next."""
        now = int(self.clock.now().timestamp())
        step = now // 30
        if self._codes.get(account) == step:
            self.clock.advance(30 - now % 30)
            step += 1
        self._codes[account] = step
        return code_at(self.truth.totp(account), int(self.clock.now().timestamp()))


_ACTS = frozenset({Action.SCAN_IN, Action.SCAN_OUT, Action.REASSIGN, Action.OPEN_TICKET})


def _named(entries: list[AuditEntry]) -> bool:
    """Whether the log names who it was: the account, or that no live one was behind it."""
    return bool(entries) and all(
        entry.account is not None or entry.line in ("0", "login") for entry in entries
    )


def try_query(
    action: str,
    resource: str,
    key: str | None,
    by: Mapping[str, str],
    fields: tuple[str, ...],
    params: Mapping[str, str],
    limit: int,
) -> Query:
    return Query(
        action=action,
        resource=resource,
        key=key,
        by=dict(by),
        fields=fields,
        params=dict(params),
        limit=limit,
    )


__all__ = ["AclError", "Outcome", "Stage", "try_query"]
