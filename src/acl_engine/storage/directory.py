"""The directory: live facts about who asks and what is asked for, one snapshot, three queries.

INVARIANTS
- No personal field is read: neither `waybill_people` nor a customer's payload.
- The same queries run whether or not the named record exists.
- A fact that its gainer made alone counts for nothing (shift, roster line, ticket).
- Every fact is of now: nothing is taken from the session but who it belongs to.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    SelectBase,
    bindparam,
    exists,
    func,
    literal,
    select,
    union_all,
)

from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Request
from acl_engine.domain.scope import Scope
from acl_engine.storage.approval_facts import NOTHING_TO_ANSWER, approved_query, purpose_facts
from acl_engine.storage.criteria import equals, unsearchable
from acl_engine.storage.database import Database
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.resources import RESOURCES, ResourceMap, stored
from acl_engine.storage.scope_sql import condition
from acl_engine.storage.tables import (
    customers,
    devices,
    roster,
    sessions,
    shifts,
    units,
    work_items,
)

DAY = 86_400
CLAIM_DAYS = 30
# How long a second factor counts as fresh where no pack says otherwise, in seconds.
FRESH_SECONDS = 600

# Work item kind -> the set of waybills (or, without one, of items) it opens.
SETS = {
    "ticket": "tickets",
    "claim": "claims",
    "batch": "batches",
    "print_job": "print_jobs",
    "change": "changes",
}
_ROSTER = "roster_areas"


def _not_self_made(made_by: ColumnElement[Any]) -> ColumnElement[bool]:
    return made_by.not_in([bindparam("person"), bindparam("account")])


def _subject_query(resource: ResourceMap, fresh_seconds: int) -> SelectBase:
    now: BindParameter[int] = bindparam("now")
    device = exists().where(
        devices.c.id == bindparam("device"),
        # A service's device is bound to its login: there is no person behind it.
        devices.c.person.in_([bindparam("person"), bindparam("account")]),
        devices.c.status == "active",
        devices.c.lease_until > now,
    )
    shift = exists().where(
        shifts.c.person == bindparam("person"),
        shifts.c.starts_at <= now,
        shifts.c.ends_at > now,
        _not_self_made(shifts.c.made_by),
    )
    fresh = exists().where(
        sessions.c.token_hash == bindparam("session"),
        sessions.c.proven_at > now - fresh_seconds,
        sessions.c.ended_at.is_(None),
    )
    path = select(units.c.path).where(units.c.id == bindparam("unit")).scalar_subquery()
    bound = select(customers.c.phone_bound_at).where(customers.c.id == bindparam("customer"))
    return select(
        path.label("unit_path"),
        device.label("device_bound"),
        shift.label("on_shift"),
        fresh.label("fresh_factor"),
        bound.scalar_subquery().label("bound_since"),
        *(fact.label(name) for name, fact in resource.subject_facts.items()),
    )


def _sets_query() -> SelectBase:
    now: BindParameter[int] = bindparam("now")
    areas = select(literal(_ROSTER).label("kind"), roster.c.area.label("value")).where(
        roster.c.person == bindparam("person"),
        roster.c.valid_from <= now,
        roster.c.valid_to > now,
        _not_self_made(roster.c.made_by),
    )
    recent = (work_items.c.kind != "claim") | (work_items.c.opened_at > bindparam("claims_since"))
    items = select(
        work_items.c.kind, func.coalesce(work_items.c.waybill_no, work_items.c.id)
    ).where(
        work_items.c.holder == bindparam("account"),
        work_items.c.closed_at.is_(None),
        work_items.c.opened_at <= now,
        work_items.c.source != "",
        _not_self_made(work_items.c.made_by),
        recent,
    )
    return union_all(areas, items)


_SETS = Prepared(_sets_query())


class DirectoryStore:
    """The Directory port over the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        resources: Mapping[str, ResourceMap] = RESOURCES,
        *,
        windows: bool = True,
        fresh_seconds: int = FRESH_SECONDS,
    ) -> None:
        """`windows` False (replay's ablation): an approved look never runs out. `fresh_seconds`:
        for so long after it was shown a second factor is fresh."""
        self._database = database
        self._clock = clock
        self._resources = resources
        # What only another kind of record needs is there, and unknown.
        self._unasked: dict[str, Value] = {
            fact: None for one in resources.values() for fact in one.subject_facts
        }
        self._approved = Prepared(approved_query(windows=windows))
        self._subject = {
            name: Prepared(_subject_query(one, fresh_seconds)) for name, one in resources.items()
        }
        self._nothing: dict[str, dict[str, Any]] = {
            name: dict.fromkeys(one.attributes) for name, one in resources.items()
        }
        self._resource = {
            name: Prepared(select(*one.attributes.values()).where(one.key == bindparam("key")))
            for name, one in resources.items()
        }

    def facts(self, principal: Principal, request: Request) -> Facts:
        """The live facts of this person and, when the request names one, this record.

        Raises StoreError.
        """
        resource = stored(self._resources, request.resource)
        now = int(self._clock.now().timestamp())
        asked = {
            "person": principal.person,
            "account": principal.account,
            "unit": principal.unit,
            "device": principal.device,
            "customer": principal.customer,
            "session": principal.session,
            "purpose": request.purpose,
            "resource": resource.type,
            "now": now,
            "claims_since": now - CLAIM_DAYS * DAY,
        }
        recall = self._database.unchanged.recall
        about = (resource.type, request.key)
        with self._database.moment():
            subject = recall(
                ("subject", self, principal, request.purpose, resource.type, now),
                lambda: self._about_person(principal, resource, asked),
            )
            record = recall(("record", self, *about), lambda: self._about_record(*about))
        return Facts(subject, record)

    def count(self, request: Request, scope: Scope) -> Mapping[str, int]:
        """How many records of the scope are at each stage, by criteria over policy facts alone.

        Raises StoreError, or InputError for a criterion that is no policy fact.
        """
        resource = stored(self._resources, request.resource)
        where = [condition(scope, resource.columns(), self._database.dialect)]
        for name, value in request.by:
            if name not in resource.attributes:
                raise unsearchable(resource.type, name)
            where.append(equals(resource.attributes[name], value))
        stage = resource.attributes["stage"]
        query = select(stage, func.count()).where(*where).group_by(stage)
        with self._database.read() as cx:
            return {row[0]: row[1] for row in cx.execute(query)}

    def _about_person(
        self, principal: Principal, resource: ResourceMap, asked: Mapping[str, Any]
    ) -> Mapping[str, Value]:
        with self._database.read() as cx:
            (live,) = self._subject[resource.type].all(cx, asked)
            sets = _SETS.all(cx, asked)
            purpose = purpose_facts(cx, self._approved, asked)
            more = resource.subject_sets(cx, asked)
        known = {**self._unasked, **NOTHING_TO_ANSWER, **_session_facts(principal, asked["now"])}
        subject = {**known, **live, **purpose, **more}
        # An empty path would be a prefix of every unit's: it is no path.
        subject["unit_path"] = subject["unit_path"] or None
        for name in (_ROSTER, *SETS):
            values = frozenset(one["value"] for one in sets if one["kind"] == name)
            subject[SETS.get(name, name)] = values
        return subject

    def _about_record(self, kind: str, key: str | None) -> Mapping[str, Value] | None:
        resource = self._resources[kind]
        with self._database.read() as cx:
            row = self._resource[kind].first(cx, {"key": key})
        if row is None:  # the work of reading one is done all the same: its time would tell
            resource.row_attributes(self._nothing[resource.type])
            return None
        return resource.row_attributes(row)


def _session_facts(principal: Principal, now: int) -> dict[str, Value]:
    return {
        "account": principal.account,
        "person": principal.person,
        "role": principal.role,
        "unit": principal.unit,
        "tenant": principal.tenant,
        "customer": principal.customer,
        "device_class": principal.device_class,
        "now": now,
        "day_ago": now - DAY,
        "week_ago": now - 7 * DAY,
        "month_ago": now - 30 * DAY,
    }
