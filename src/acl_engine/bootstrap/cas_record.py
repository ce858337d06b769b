"""Writing the central login's events down: durable before anything leaves."""

from dataclasses import dataclass

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.ports import AuditLog, Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request_id import new_request_id


@dataclass(frozen=True, slots=True)
class Recorder:
    """`policy` is the version of the pack in force."""

    audit: AuditLog
    clock: Clock
    policy: str

    def allowed(
        self,
        action: str,
        who: Principal,
        service: str,
        *,
        ticket: str = "",
        fields: tuple[str, ...] = (),
    ) -> str:
        """One record of what was done, for whom and for which service; its request id. `ticket`
        is a hash, `fields` the names of attributes that were released."""
        request = new_request_id()
        self.audit.append(self._entry(request, action, who, service, ticket, fields))
        return request

    def denied(
        self,
        action: str,
        who: Principal | None,
        service: str,
        reason: str,
        *controls: str,
        ticket: str = "",
    ) -> str:
        """One record of what was refused; its request id. `reason` is the code of a text."""
        request = new_request_id()
        self.audit.append(
            self._entry(
                request, action, who, service, ticket, (), reason, tuple(filter(None, controls))
            )
        )
        return request

    def _entry(
        self,
        request: str,
        action: str,
        who: Principal | None,
        service: str,
        ticket: str,
        fields: tuple[str, ...],
        reason: str = "",
        controls: tuple[str, ...] = (),
    ) -> AuditEntry:
        return AuditEntry(
            kind="event",
            request=request,
            at=int(self.clock.now().timestamp() * 1000),
            action=action,
            resource="session",
            account=who.account if who else None,
            person=who.person if who else None,
            role=who.role if who else None,
            unit=who.unit if who else None,
            device=who.device if who else None,
            session=who.session if who else None,
            effect="deny" if reason else "allow",
            line="login",
            controls=controls,
            reason=reason,
            purpose=service or None,
            fields=fields,
            digest=ticket,
            policy=self.policy,
        )
