"""State of one-click dial: bindings, single-use capabilities, call records. No number, ever.

INVARIANTS
- A binding is alive while it has neither ended nor expired and the parcel is still at its stage:
  delivery ends it without anyone's doing.
- One living binding a waybill: a new one ends those before it.
- A capability is used up by whoever changes its row first.
"""

import re
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, insert, select, update

from acl_engine.domain.calls import Binding, Call
from acl_engine.storage.database import Database
from acl_engine.storage.tables import call_records, dial_bindings, dial_capabilities, waybills

_b, _k = dial_bindings.c, dial_capabilities.c
_OUTCOME = re.compile(r"[a-z-]{1,16}")


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

    def unbind(self, binding_id: str, now: int) -> None:
        """End a binding; one that has ended stays as it was."""
        row = and_(_b.id == binding_id, _b.ended_at.is_(None))
        with self._database.write() as cx:
            cx.execute(update(dial_bindings).where(row).values(ended_at=now))

    def mint(self, token_hash: str, binding_id: str, session: str, expires_at: int) -> None:
        """Keep a capability for one call."""
        with self._database.write() as cx:
            cx.execute(
                insert(dial_capabilities).values(
                    token_hash=token_hash,
                    binding=binding_id,
                    session=session,
                    expires_at=expires_at,
                )
            )

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
        """Calls made since then, and capabilities since then that were never used: whoever mints
        many at once has used up as many attempts."""
        ours = _b.waybill_no == waybill_no
        made = (
            select(func.count())
            .select_from(call_records.join(dial_bindings))
            .where(ours, call_records.c.at >= since)
        )
        waiting = (
            select(func.count())
            .select_from(dial_capabilities.join(dial_bindings))
            .where(ours, _k.used_at.is_(None), _k.expires_at >= since)
        )
        with self._database.read() as cx:
            return cx.scalars(made).one() + cx.scalars(waiting).one()

    def record(self, call: Call) -> None:
        """Keep one attempt: when, by which binding, and the outcome as a word."""
        if not _OUTCOME.fullmatch(call.outcome):
            raise ValueError("an outcome is a word")
        with self._database.write() as cx:
            cx.execute(
                insert(call_records).values(binding=call.binding, at=call.at, outcome=call.outcome)
            )


_KEPT = frozenset(Binding.__dataclass_fields__)


def _alive(now: int) -> Select[Any]:
    return (
        select(dial_bindings)
        .join(waybills, waybills.c.waybill_no == _b.waybill_no)
        .where(_b.ended_at.is_(None), _b.expires_at > now, _b.stage == waybills.c.stage)
    )


def _binding(row: RowMapping) -> Binding:
    return Binding(**{name: row[name] for name in _KEPT})
