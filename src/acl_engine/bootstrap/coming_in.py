"""Coming in, and proving again who one is: each on record before it counts.

INVARIANTS
- A session token leaves only after the login's audit record is durable; a fresh second factor
  that could not be written down ends its session.
- A refusal says nothing but its request id; why stands in that record.
"""

from dataclasses import dataclass

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import DeviceProof, LoginAttempt
from acl_engine.domain.errors import AccessDenied, LoginRefused
from acl_engine.domain.ports import AuditLog, Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request_id import new_request_id
from acl_engine.identity.fresh import FreshFactors
from acl_engine.identity.login import Logins
from acl_engine.identity.sessions import StoredSessions

LOGIN, STEP_UP = "login", "step-up"
# Stands as the reason of a login that a recovery code opened.
BY_RECOVERY = "recovery-code"


@dataclass(frozen=True, slots=True)
class ComingIn:
    """`policy`: the version of what decides, for the record."""

    logins: Logins
    fresh: FreshFactors
    sessions: StoredSessions
    audit: AuditLog
    clock: Clock
    policy: str

    def login(
        self,
        login: str,
        password: str,
        *,
        totp: str | None = None,
        device: DeviceProof | None = None,
        replaces: str | None = None,
        token: str | None = None,
    ) -> str:
        """See `Engine.login`."""
        request = new_request_id()
        try:
            outcome = self.logins.login(
                login, password, totp=totp, device=device, replaces=replaces, token=token
            )
        except LoginRefused as refused:
            self.audit.append(self._refusal(LOGIN, request, refused.attempt))
            raise AccessDenied(request) from None
        reason = BY_RECOVERY if outcome.recovery else ""
        self._allowed(LOGIN, request, outcome.principal, outcome.token, reason)
        return outcome.token

    def prove(self, token: str, code: str, device: DeviceProof | None) -> None:
        """See `Engine.prove`."""
        request = new_request_id()
        try:
            who = self.fresh.prove(token, code, device)
        except LoginRefused as refused:
            self.audit.append(self._refusal(STEP_UP, request, refused.attempt))
            raise AccessDenied(request) from None
        self._allowed(STEP_UP, request, who, token)

    def _allowed(
        self, action: str, request: str, who: Principal, token: str, reason: str = ""
    ) -> None:
        entry = AuditEntry(
            kind="event",
            request=request,
            at=self._millis(),
            action=action,
            resource="session",
            account=who.account,
            person=who.person,
            role=who.role,
            unit=who.unit,
            device=who.device,
            session=who.session,
            effect="allow",
            line="login",
            reason=reason,
            policy=self.policy,
        )
        try:
            self.audit.append(entry)
        except BaseException:
            self.sessions.end(token)
            raise

    def _refusal(self, action: str, request: str, attempt: LoginAttempt) -> AuditEntry:
        return AuditEntry(
            kind="event",
            request=request,
            at=self._millis(),
            action=action,
            resource="session",
            account=attempt.account,
            person=attempt.person,
            role=attempt.role,
            unit=attempt.unit,
            device=attempt.device,
            effect="deny",
            line=attempt.refusal.line,
            controls=attempt.refusal.controls,
            reason=attempt.refusal.code,
            policy=self.policy,
        )

    def _millis(self) -> int:
        return int(self.clock.now().timestamp() * 1000)
