"""One request on its way through the door, and its record-keeping: what every numbered line shares.

INVARIANTS
- What is allowed or refused is on record, durable, before anybody is told.
- An unforeseen error while deciding is a refusal. Its text is never kept: it may quote data.
- No entry holds a clear value: keys are digested, fields are named.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.budgets import FROZEN, NO_WEIGHTS, Reservation, Seen, Warned
from acl_engine.domain.control import Refusal
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import (
    AccessDenied,
    ActRefused,
    AuditUnavailable,
    SessionDead,
    StoreError,
)
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.parts import Part
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Query, Request
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.enforcement.door import Door, Refused

NO_RECORD = Text(
    "door.no-record",
    "审计记录无法写入，未作任何答复",
    "no audit record could be written, so nothing was answered",
    "请检查审计存储后重试",
    "check the audit store and try again",
)

BUDGET_WARNS = Text(
    "budget.warns",
    "额度提醒：{per} `{who}` 在 {window} 内已用 {used}（{what}）",
    "budget: {per} `{who}` has used {used} within {window} ({what})",
)
BUDGET_FROZE = Text(
    "budget.froze",
    "账号 `{account}` 超出额度，已停用，须由他人恢复",
    "account `{account}` went past its budget and is suspended until somebody else resumes it",
)


# Numbers that differ in the last two digits only are one block: whoever tries one after the other
# stays in it. Areas and blocks are told apart by 32 bits of their keyed hash.
_BLOCK_DIGITS, _SHORT = 2, 8

_Kind = Literal["intent", "outcome"]
_Effect = Literal["allow", "deny", "error"]


@dataclass(slots=True)
class Trail:
    """One request on its way: what is known so far, for the record that is written whatever comes.

    `line` is the number being walked.
    """

    door: Door
    query: Query
    id: str
    now: datetime
    line: str = "0"
    principal: Principal | None = None
    request: Request | None = None
    facts: Facts | None = None
    decision: Decision | None = None
    reservation: Reservation | None = None
    _aside: Part[Any, Reservation] | None = None
    _charge: Part[Any, Reservation] | None = None
    _written: bool = False

    @classmethod
    def start(cls, door: Door, query: Query) -> "Trail":
        return cls(door, query, new_request_id(), door.clock.now())

    def at(self, line: str) -> None:
        self.line = line
        self.door.step(line)

    def write_intent(self) -> None:
        """(4) and (5) in one commit: what is set aside, and the allowed look, durable before
        anything is fetched. Raises what to raise where the budget says no, or AuditUnavailable."""
        aside, self._aside = self._aside, None
        try:
            self._append(self._entry("intent", "allow"), aside)
            self.reservation = aside.result() if aside is not None else None
        except AuditUnavailable:
            raise
        except (ActRefused, StoreError) as refused:
            self.line = "4"
            raise self.denied(refused) from None
        for one in self.reservation.warned if self.reservation else ():
            self._warn(one)

    def write_outcome(
        self,
        *,
        count: int,
        subjects: tuple[str, ...],
        fields: tuple[str, ...] = (),
        digest: str = "",
        watermark: str = "",
        areas: tuple[str, ...] | None = None,
    ) -> None:
        """(10) What was shown, charged in the same commit, durable before the answer leaves.
        `areas`: of a search's rows. Raises ActRefused where it is past a budget."""
        entry = self._entry("outcome", "allow")
        shown = replace(
            entry,
            count=count,
            subjects=subjects,
            fields=fields,
            digest=digest,
            watermark=watermark,
            areas=entry.areas if areas is None else areas,
        )
        self._append(shown, self._charge)
        self.reservation = None

    def denied(self, error: Exception) -> AccessDenied | StoreError:
        """(5) and (6): write the refusal down, release what was set aside, and give what to raise.

        A store that failed is the operator's to mend and is raised as itself, after the attempt to
        write it down. AuditUnavailable from here replaces everything.
        """
        refusal = _refusal_of(error, self.line)
        effect: _Effect = "error" if isinstance(error, StoreError) else "deny"
        kind: _Kind = "outcome" if self._written else "intent"
        entry = replace(
            self._entry(kind, effect),
            line=refusal.line,
            controls=refusal.controls,
            rule=refusal.rule,
            reason=refusal.code,
        )
        self.door.step("5")
        self._append(entry, self._released())
        self.door.step("6")
        return error if isinstance(error, StoreError) else AccessDenied(self.id)

    def becomes(self, action: Action) -> None:
        """What was looked at as one action goes on as another (asking for a release): no looks are
        set aside, and one of the other kind is."""
        self.request = replace(self.asked, action=action)
        self.set_aside(1)

    def set_aside(self, looks: int, weights: Mapping[str, int] = NO_WEIGHTS) -> None:
        """(4) Looks, and what they may show of persons: with the intent's record."""
        fresh = self.facts is not None and self.facts.subject.get("fresh_factor") is True
        self._aside = self.door.budgets.reserve(self.who, self.asked, looks, weights, fresh=fresh)

    def _warn(self, one: Warned) -> None:
        """What a limit warns of is said aloud."""
        self.door.alarm(
            BUDGET_WARNS.of(
                per=one.limit.per,
                who=one.who,
                used=f"{one.used:g}",
                what=one.limit.data or one.limit.of,
                window=one.limit.window,
            )
        )

    @property
    def asked(self) -> Request:
        """The normalised request; there is one from step 1 on."""
        assert self.request is not None
        return self.request

    @property
    def who(self) -> Principal:
        """The person; there is one from step 0 on."""
        assert self.principal is not None
        return self.principal

    def settle(self, looks: int, seen: Sequence[Seen] = ()) -> None:
        """Charge what is about to be shown: with the outcome's record."""
        if self.reservation is not None:
            self._charge = self.door.budgets.settle(self.reservation, looks, seen)

    def _released(self) -> Part[Any, Reservation] | None:
        """What was set aside is free again, with the record of the refusal."""
        reservation, self.reservation = self.reservation, None
        # One that cannot be released now runs out by its lease; the refusal must be recorded.
        with suppress(Exception):
            return None if reservation is None else self.door.budgets.release(reservation)
        return None

    def _append(self, entry: AuditEntry, part: Part[Any, Any] | None) -> None:
        try:
            self.door.audit.append(entry, part)
            if part is not None:
                part.result()  # a log that writes the record alone has not done what it tells of
        except ActRefused as refused:
            if refused.refusal.code == FROZEN:
                self.door.alarm(BUDGET_FROZE.of(account=self.who.account))
            raise
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 -- no record, no answer, whatever the cause
            raise AuditUnavailable(NO_RECORD.of()) from None
        self._written = True

    def _entry(self, kind: _Kind, effect: _Effect) -> AuditEntry:
        who, request, decision = self.principal, self.request, self.decision
        key = request.key if request else self.query.key
        return AuditEntry(
            kind=kind,
            request=self.id,
            at=int(self.now.timestamp() * 1000),
            action=str(request.action) if request else _word(self.query.action),
            resource=request.resource if request else _word(self.query.resource),
            account=who.account if who else None,
            person=who.person if who else None,
            role=who.role if who else None,
            unit=who.unit if who else None,
            device=who.device if who else None,
            session=who.session if who else None,
            effect=effect,
            line=self.line,
            rule=(" ".join(decision.rules) or None) if decision is not None else None,
            reason=decision.reason.code if decision is not None else "",
            purpose=request.purpose if request else None,
            ticket=request.ticket if request else None,
            subjects=(self.subject(key),) if key else self._searched(),
            policy=self.door.decider.version,
            areas=self._areas(),
            block=self._block(key) if key else "",
            on_shift=self._on_shift(),
        )

    def area(self, attributes: Mapping[str, Value]) -> str:
        """The short keyed hash of a record's service area."""
        place = attributes.get("area")
        digest = self.door.pseudonyms.digest("area", place if isinstance(place, str) else "")
        return digest[:_SHORT] if isinstance(place, str) else ""

    def _areas(self) -> tuple[str, ...]:
        record = self.facts.resource if self.facts else None
        area = self.area(record or {})  # digested also of none: the time would tell
        return (area,) if record is not None else ()

    def _block(self, key: str) -> str:
        return self.door.pseudonyms.digest("block", key[:-_BLOCK_DIGITS])[:_SHORT]

    def _on_shift(self) -> bool | None:
        found = self.facts.subject.get("on_shift") if self.facts else None
        return found if isinstance(found, bool) else None

    def _searched(self) -> tuple[str, ...]:
        """A search by value leaves the digest of the value, so that it can be found again."""
        pairs = self.request.by if self.request else ()
        digest = self.door.pseudonyms.digest
        return tuple(digest(name, value) for name, value in pairs)

    def subject(self, key: str) -> str:
        """The digest under which a record of this resource type stands in the log."""
        resource = self.request.resource if self.request else _word(self.query.resource)
        return self.door.pseudonyms.digest(resource, key)


def _refusal_of(error: Exception, line: str) -> Refusal:
    if isinstance(error, ActRefused):
        return replace(error.refusal, line=line)
    if isinstance(error, (Refused, SessionDead)):
        return error.refusal
    return Refusal(line, (), None, f"error.{type(error).__name__}")


def _word(text: str) -> str:
    """What a caller typed where a known word belongs: kept only if it looks like a word."""
    return text if re.fullmatch(r"[a-z_]{1,32}", text) else "?"
