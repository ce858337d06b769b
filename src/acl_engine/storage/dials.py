"""State of one-click dial: bindings, single-use capabilities, call records. No number, ever.

INVARIANTS
- A binding is alive while it has neither ended nor expired and the parcel is still at its stage:
  delivery ends it without anyone's doing.
- One living binding a waybill: a new one ends those before it.
- A binding that is over stays `kept` until the provider has let go of it.
- A capability is used up by whoever changes its row first, and counted from the moment it is made:
  an attempt that failed has told something too. So has one that was made by hand, past the broker.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.calls import PLACED, Binding, Call, Kept
from acl_engine.domain.principal import Principal
from acl_engine.storage.database import Database
from acl_engine.storage.tables import (
    accounts,
    call_records,
    devices,
    dial_bindings,
    dial_capabilities,
    persons,
    waybills,
)

_b, _k = dial_bindings.c, dial_capabilities.c
_OUTCOME = re.compile(r"[a-z-]{1,16}")
# A page of what is kept. Past its expiry by more than `_FORGOTTEN` the provider has forgotten a
# binding by itself, whether or not it ever answered.
_AT_ONCE = 500
# More calls over one binding are no work, and no reason to fill the table.
_MOST_RECORDS = 200
_FORGOTTEN = 3600


class DialStore:
    """The Dials port over the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def live(self, waybill_no: str, person: str, now: int) -> Binding | None:
        """The living binding of this parcel and person."""
        query = _alive(now).where(_b.waybill_no == waybill_no, _b.person == person)
        with self._database.read() as cx:
            row = cx.execute(query).mappings().first()
        return None if row is None else _binding(row)

    def bind(self, binding: Binding) -> None:
        """Keep a binding; the waybill's earlier ones have ended with it."""
        values = {
            column.name: getattr(binding, column.name) for column in _b if column.name in _KEPT
        }
        with self._database.write() as cx:
            lock = select(waybills.c.id).where(waybills.c.waybill_no == binding.waybill_no)
            cx.execute(lock.with_for_update())
            earlier = and_(_b.waybill_no == binding.waybill_no, _b.ended_at.is_(None))
            # When it was replaced is in the audit log; here it only has to be over.
            cx.execute(update(dial_bindings).where(earlier).values(ended_at=_b.expires_at))
            cx.execute(insert(dial_bindings).values(values))

    def kept(
        self,
        now: int,
        *,
        waybill_no: str | None = None,
        provider_ref: str | None = None,
        after: Binding | None = None,
    ) -> Sequence[Kept]:
        """What the provider still has, with its person as they are now; the first to expire comes
        first. A page: `after` the last one of the page before."""
        query = _KEPT_QUERY.where(_b.expires_at > now - _FORGOTTEN)
        if waybill_no is not None:
            query = query.where(_b.waybill_no == waybill_no)
        if provider_ref is not None:
            query = query.where(_b.provider_ref == provider_ref)
        if after is not None:
            query = query.where(tuple_(_b.expires_at, _b.id) > (after.expires_at, after.id))
        with self._database.read() as cx:
            rows = cx.execute(query.order_by(_b.expires_at, _b.id).limit(_AT_ONCE)).mappings().all()
        return [_kept(row, now) for row in rows]

    def released(self, binding_id: str, now: int) -> None:
        """The provider has let go; when a binding ended earlier stays as it was."""
        ended = func.coalesce(_b.ended_at, now)
        with self._database.write() as cx:
            cx.execute(
                update(dial_bindings)
                .where(_b.id == binding_id, _b.unbound_at.is_(None))
                .values(unbound_at=now, ended_at=ended)
            )

    def mint(
        self,
        token_hash: str,
        binding: Binding,
        session: str,
        expires_at: int,
        *,
        since: int,
        most: int,
    ) -> bool:
        """Keep a capability for one call, unless the parcel has had its attempts."""
        with self._database.write() as cx:
            lock = select(waybills.c.id).where(waybills.c.waybill_no == binding.waybill_no)
            cx.execute(lock.with_for_update())
            if cx.execute(_attempts(binding.waybill_no, since)).scalar_one() >= most:
                return False
            cx.execute(
                insert(dial_capabilities).values(
                    token_hash=token_hash,
                    binding=binding.id,
                    session=session,
                    expires_at=expires_at,
                )
            )
        return True

    def take(self, token_hash: str, session: str, now: int) -> Binding | None:
        """Use a capability up. None: unknown, used, expired, another session's, or no longer alive.

        A capability offered by another session or too late is left as it is: it is theirs to use.
        """
        usable = and_(
            _k.token_hash == token_hash,
            _k.session == session,
            _k.used_at.is_(None),
            _k.expires_at > now,
        )
        with self._database.write() as cx:
            used = cx.execute(
                update(dial_capabilities).where(usable).values(used_at=now).returning(_k.binding)
            ).first()
            if used is None:
                return None
            row = cx.execute(_alive(now).where(_b.id == used[0])).mappings().first()
        return None if row is None else _binding(row)

    def attempts(self, waybill_no: str, since: int) -> int:
        """Capabilities of this parcel that have been alive since then, used or not, and calls that
        were made by hand since."""
        with self._database.read() as cx:
            return cx.execute(_attempts(waybill_no, since)).scalar_one()

    def record(self, call: Call) -> None:
        """Keep one attempt: when, by which binding, and the outcome as a word.

        What is said again of a call of the same name completes it if it was only placed so far, and
        changes nothing otherwise. A binding that is not known, or has its most records, keeps none.
        """
        if not _OUTCOME.fullmatch(call.outcome):
            raise ValueError("an outcome is a word")
        values = {
            one: getattr(call, one) for one in ("binding", "at", "outcome", "name", "by_hand")
        }
        with self._database.write() as cx:
            lock = select(_b.id).where(_b.id == call.binding).with_for_update()
            many = select(func.count()).where(call_records.c.binding == call.binding)
            if cx.scalar(lock) is not None and cx.scalars(many).one() < _MOST_RECORDS:
                cx.execute(_RECORD[cx.dialect.name], values)


def _upsert(dialect: Any) -> Any:
    made = dialect.insert(call_records)
    return made.on_conflict_do_update(
        index_elements=["name"],
        set_={"outcome": made.excluded.outcome},
        where=call_records.c.outcome == PLACED,
    )


_RECORD = {"sqlite": _upsert(sqlite), "postgresql": _upsert(postgresql)}
_CALL = tuple(Call.__dataclass_fields__)
_KEPT = frozenset(Binding.__dataclass_fields__)
_STAFF = ("role", "unit", "tenant", "customer")
_KEPT_QUERY = (
    select(
        dial_bindings,
        waybills.c.stage.label("stage_now"),
        *(accounts.c[name].label(f"{name}_now") for name in _STAFF),
        ((accounts.c.status == "active") & (persons.c.status == "active")).label("active"),
        devices.c.device_class,
    )
    .outerjoin(waybills, waybills.c.waybill_no == _b.waybill_no)
    .outerjoin(accounts, and_(accounts.c.login == _b.account, accounts.c.person == _b.person))
    .outerjoin(persons, persons.c.id == _b.person)
    .outerjoin(devices, devices.c.id == _b.device)
    .where(_b.unbound_at.is_(None))
)


def _alive(now: int) -> Select[Any]:
    return (
        select(dial_bindings)
        .join(waybills, waybills.c.waybill_no == _b.waybill_no)
        .where(_b.ended_at.is_(None), _b.expires_at > now, _b.stage == waybills.c.stage)
    )


def _binding(row: RowMapping) -> Binding:
    return Binding(**{name: row[name] for name in _KEPT})


def _kept(row: RowMapping, now: int) -> Kept:
    over = (
        row["ended_at"] is not None or row["expires_at"] <= now or row["stage"] != row["stage_now"]
    )
    who = None
    if row["active"]:
        now_is = {name: row[f"{name}_now"] for name in _STAFF}
        who = Principal(
            account=row["account"],
            person=row["person"],
            session="",
            device=row["device"],
            device_class=row["device_class"],
            **now_is,
        )
    return Kept(_binding(row), over, who)


def _attempts(waybill_no: str, since: int) -> Select[int]:
    made = (
        select(func.count())
        .select_from(dial_capabilities.join(dial_bindings))
        .where(_b.waybill_no == waybill_no, _k.expires_at >= since)
    )
    by_hand = (
        select(func.count())
        .select_from(call_records.join(dial_bindings))
        .where(_b.waybill_no == waybill_no, call_records.c.by_hand, call_records.c.at >= since)
    )
    return select(made.scalar_subquery() + by_hand.scalar_subquery())
