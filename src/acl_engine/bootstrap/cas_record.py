"""Writing the central login's events down: durable before anything leaves."""

from dataclasses import dataclass
from typing import Any

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.parts import Part
from acl_engine.domain.ports import Clock, SharedLog
from acl_engine.domain.principal import Principal
from acl_engine.domain.request_id import new_request_id


@dataclass(frozen=True, slots=True)
class Recorder:
    """`policy` is the version of the pack in force."""

    audit: SharedLog
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
        part: Part[Any, Any] | None = None,
    ) -> str:
        """One record of what was done, for whom and for which service; its request id. `ticket`
        is a hash, `fields` the names of attributes that were released, `part` what is done with
        the record. Raises what it is refused with."""
        request = new_request_id()
        self._append(self._entry(request, action, who, service, ticket, fields), part)
        return request

    def denied(
        self,
        action: str,
        who: Principal | None,
        service: str,
        reason: str,
        *controls: str,
        ticket: str = "",
        part: Part[Any, Any] | None = None,
    ) -> str:
        """One record of what was refused; its request id. `reason` is the code of a text, `part`
        as above."""
        request = new_request_id()
        given = tuple(filter(None, controls))
        entry = self._entry(request, action, who, service, ticket, (), reason, given)
        self._append(entry, part)
        return request

    def _append(self, entry: AuditEntry, part: Part[Any, Any] | None) -> None:
        self.audit.append(entry, part)
        if part is not None:
            part.result()  # a log that writes the record alone has not done what it tells of

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
