"""Retention: personal data is put away when its purpose is done, and destroyed when its time is up.

PIPL articles 19 and 47; Interim Regulations on Express Delivery, article 34 (destroy regularly).

INVARIANTS
- While a legal hold is open nothing is put away and nothing destroyed.
- On record before it is done: which records, by which rule, by whom. The record that follows is the
  certificate: what was done, with the digest of the list.
- A sweep that was stopped goes on where it stopped; nothing is done twice.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from acl_engine.domain.accountability import AuditEntry, LegalHolds, Receipt
from acl_engine.domain.errors import AclError
from acl_engine.domain.pack import Pack, RetentionRule
from acl_engine.domain.ports import AuditLog, Clock, Pseudonyms
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.retention import Due, RetentionStore

# So many records stand in one certificate, and are done in one transaction.
BATCH = 500
PUT_AWAY, DESTROYED = "retention.put-away", "retention.destroy"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One batch that was carried out. `request` finds its records in the log, `receipt` is the
    place of the last; `digest` is SHA-256 over the records' pseudonyms, one a line, sorted."""

    resource: str
    rule: RetentionRule
    records: int
    request: str
    digest: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Sweeper:
    """What a sweep goes through."""

    pack: Pack
    store: RetentionStore
    audit: AuditLog
    holds: LegalHolds
    pseudonyms: Pseudonyms
    clock: Clock

    def plan(self) -> tuple[Due, ...]:
        """What is due now, rule by rule. Changes nothing."""
        now = self._now()
        return tuple(
            Due(spec.type, rule, self.store.count(spec.type, rule, now))
            for spec in self.pack.resources.values()
            for rule in spec.retention
        )

    def sweep(self, by: str) -> Iterator[Certificate]:
        """Carry out what is due, a batch at a time. Raises InputError under a hold, StoreError."""
        for spec in self.pack.resources.values():
            for rule in spec.retention:
                yield from self._rule(spec.type, rule, by)

    def _rule(self, resource: str, rule: RetentionRule, by: str) -> Iterator[Certificate]:
        while keys := self.store.due(resource, rule, self._now(), BATCH):
            self.holds.refuse_while_held()
            intent = self._entry(resource, rule, keys, by)
            self.audit.append(intent)
            try:
                done = self.store.carry_out(resource, rule, keys, self._now())
            except AclError as error:
                self.audit.append(replace(intent, effect="error", reason=error.message.code))
                raise
            outcome = replace(self._entry(resource, rule, done, by), request=intent.request)
            receipt = self.audit.append(outcome)
            yield Certificate(resource, rule, len(done), intent.request, outcome.digest, receipt)

    def _entry(
        self, resource: str, rule: RetentionRule, keys: Sequence[str], by: str
    ) -> AuditEntry:
        subjects = tuple(sorted(self.pseudonyms.digest(resource, key) for key in keys))
        return AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self._now() * 1000,
            action=DESTROYED if rule.destroy else PUT_AWAY,
            resource=resource,
            account=by,
            effect="allow",
            line="retention",
            rule=f"{'|'.join(rule.stages)} -> {rule.to}",
            subjects=subjects,
            count=len(keys),
            digest=hashlib.sha256("\n".join(subjects).encode()).hexdigest(),
            policy=self.pack.version,
        )

    def _now(self) -> int:
        return int(self.clock.now().timestamp())
