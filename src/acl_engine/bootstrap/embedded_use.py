"""The use of a right in an application, as the audit log holds it: who, what, by which version."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.decision import Decision
from acl_engine.domain.principal import Principal

# The step of the lookup line that decided: 3, decide.
LINE = "3"


@dataclass(frozen=True, slots=True)
class Use:
    """`decision` is None for a filter over many records, which has no single reason."""

    who: Any
    action: str
    resource: str
    allowed: bool
    version: str
    decision: Decision | None = None

    def entry(self, request: str) -> AuditEntry:
        """The record, with what is known of the application's own principal."""
        person = self.who if isinstance(self.who, Principal) else None
        decision = self.decision
        rules = decision.rules if decision is not None else ()
        return AuditEntry(
            kind="intent",
            request=request,
            at=time.time_ns() // 1_000_000,
            action=self.action,
            resource=self.resource,
            account=_account(self.who),
            person=person.person if person else None,
            role=person.role if person else None,
            unit=person.unit if person else None,
            device=person.device if person else None,
            session=person.session if person else None,
            effect="allow" if self.allowed else "deny",
            line=LINE,
            controls=decision.controls if decision is not None else (),
            rule=rules[0] if rules else None,
            reason=decision.reason.code if decision is not None else "",
            policy=self.version,
        )


def _account(who: Any) -> str | None:
    own = who.get("account") if isinstance(who, Mapping) else getattr(who, "account", who)
    return own if isinstance(own, str) else None
