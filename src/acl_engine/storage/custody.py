"""Custody by dual scan, and assignment. Each act is one transaction.

INVARIANTS
- The parcel's row is locked first; what the act decides on is read after that.
- A refused act has changed nothing; a repeated one adds nothing.
- Custody moves by an out-scan and the counterpart's in-scan, by two accounts. An assignment is
  made for a person who is rostered for the area by a third.
- Every event names its maker.
"""

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
)

from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import ActRefused
from acl_engine.domain.principal import Principal
from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, assignments, persons, roster, scans, units, waybills

# Stages between which a parcel moves from unit to unit.
_MOVING = frozenset({"PICKED_UP", "IN_TRANSIT", "AT_BRANCH", "OUT_FOR_DELIVERY", "RETURNING"})
_ASSIGNABLE = frozenset({"AT_BRANCH", "OUT_FOR_DELIVERY"})
# A courier who lately gave a parcel to the one who now gives him one: a circle, not a roster.
CIRCLE_SECONDS = 30 * 86_400

LINE = "7"


def refuse(code: str, control: str) -> ActRefused:
    """The refusal of an act, for the audit record."""
    return ActRefused(Refusal(LINE, (control,), None, code))


def locked_waybill(cx: Connection, waybill_no: str, control: str) -> RowMapping:
    """The parcel's facts, its row locked until the transaction ends. Raises ActRefused."""
    query = select(waybills).where(waybills.c.waybill_no == waybill_no).with_for_update()
    row = cx.execute(query).mappings().first()
    if row is None:
        raise refuse("act.no-such-record", control)
    return row


class ScanStore:
    """Custody: the out-scan of one unit and the in-scan of the next."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scan_out(self, who: Principal, waybill_no: str, to_unit: str, now: int) -> None:
        """Hand over to another unit, or (to one's own) to the assigned courier for delivery.

        Only from the unit that has the parcel. Custody stays here until the other side scans it in.
        """
        with self._database.write() as cx:
            row = locked_waybill(cx, waybill_no, "custody-scope")
            if row["custody_unit"] != who.unit or row["stage"] not in _MOVING:
                raise refuse("act.not-in-custody", "custody-scope")
            target = _unit(cx, to_unit)
            if target is None:
                raise refuse("act.unknown-unit", "dual-scan")
            if to_unit == who.unit:
                if row["stage"] == "OUT_FOR_DELIVERY":
                    return  # already handed to the courier
                if row["stage"] != "AT_BRANCH" or row["assignee"] is None:
                    raise refuse("act.nobody-assigned", "assignment-scope")
                changes: dict[str, object] = {"stage": "OUT_FOR_DELIVERY", "out_at": now}
            else:
                open_scan = _open_out_scan(cx, row["id"])
                if open_scan is not None and open_scan["counterpart"] == to_unit:
                    return  # already on its way there
                changes = {} if target["kind"] == "station" else _on_the_way(row["stage"])
            _scan(cx, row["id"], "out", who, now, counterpart=to_unit)
            if changes:
                _change(cx, row["id"], changes)

    def scan_in(self, who: Principal, waybill_no: str, now: int, *, dual: bool) -> None:
        """Take custody. `dual`: only as the answer to another account's out-scan to this unit."""
        with self._database.write() as cx:
            row = locked_waybill(cx, waybill_no, "dual-scan")
            out = _open_out_scan(cx, row["id"])
            fits = (
                out is not None
                and out["counterpart"] == who.unit
                and out["unit"] == row["custody_unit"]
                and out["account"] != who.account
            )
            if out is None and row["custody_unit"] == who.unit and row["custody_sound"]:
                return  # already here
            if dual and not fits:
                raise refuse("act.no-out-scan", "dual-scan")
            here = _unit(cx, who.unit)
            if here is None or row["stage"] not in _MOVING:
                raise refuse("act.not-moving", "dual-scan")
            answers = out["id"] if out is not None and fits else None
            came_from = out["unit"] if out is not None and fits else None
            _scan(cx, row["id"], "in", who, now, counterpart=came_from, answers=answers)
            custody: dict[str, object] = {"custody_unit": who.unit, "custody_sound": True}
            _change(cx, row["id"], custody | _arrived(here, row))


class ReassignStore:
    """Assignment: who delivers a stop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reassign(
        self, who: Principal, waybill_no: str, to_person: str, now: int, *, rostered: bool
    ) -> None:
        """Give the stop to `to_person` (a person's id or a login), at the end of their load.

        `rostered`: only to an active person of the destination branch, rostered for the area by
        someone who neither gains nor gives, and not in a circle with `who`.
        """
        control = "rostered-reassign"
        with self._database.write() as cx:
            row = locked_waybill(cx, waybill_no, control)
            gainer = _person(cx, to_person)
            if gainer is None or row["stage"] not in _ASSIGNABLE:
                raise refuse("act.not-assignable", control)
            if row["assignee"] == gainer["id"] and row["assignee_sound"]:
                return  # already theirs
            if rostered:
                if gainer["id"] == who.person or gainer["unit"] != row["dest_unit"]:
                    raise refuse("act.not-of-this-branch", control)
                if not cx.scalar(select(_is_rostered(gainer["id"], row["area"], who, now))):
                    raise refuse("act.not-rostered", control)
                if cx.scalar(select(_in_a_circle(gainer["id"], who, now))):
                    raise refuse("act.circle", control)
            cx.execute(
                insert(assignments).values(
                    waybill=row["id"],
                    person=gainer["id"],
                    made_by=who.person,
                    sound=True,
                    at=now,
                )
            )
            changes = {"assignee": gainer["id"], "assignee_sound": True}
            _change(cx, row["id"], changes | {"stop_seq": _last_stop(cx, gainer["id"]) + 1})


# --- inside ------------------------------------------------------------------------------------


def _unit(cx: Connection, unit: str) -> RowMapping | None:
    return cx.execute(select(units).where(units.c.id == unit)).mappings().first()


def _person(cx: Connection, name: str) -> RowMapping | None:
    by_login = select(accounts.c.person).where(
        accounts.c.login == name, accounts.c.status == "active"
    )
    query = select(persons).where(
        or_(persons.c.id == name, persons.c.id.in_(by_login)), persons.c.status == "active"
    )
    found = cx.execute(query).mappings().all()
    return found[0] if len(found) == 1 else None


def _open_out_scan(cx: Connection, waybill: int) -> RowMapping | None:
    """The newest out-scan to another unit, if no in-scan came after it."""
    query = (
        select(scans)
        .where(
            scans.c.waybill == waybill,
            or_(
                scans.c.kind == "in",
                and_(scans.c.kind == "out", scans.c.counterpart != scans.c.unit),
            ),
        )
        .order_by(scans.c.at.desc(), scans.c.id.desc())
        .limit(1)
    )
    row = cx.execute(query).mappings().first()
    return row if row is not None and row["kind"] == "out" else None


def _scan(
    cx: Connection,
    waybill: int,
    kind: str,
    who: Principal,
    now: int,
    *,
    counterpart: str | None,
    answers: int | None = None,
) -> None:
    cx.execute(
        insert(scans).values(
            waybill=waybill,
            kind=kind,
            unit=who.unit,
            counterpart=counterpart,
            answers=answers,
            account=who.account,
            device=who.device,
            at=now,
        )
    )


def _on_the_way(stage: str) -> dict[str, object]:
    return {} if stage == "RETURNING" else {"stage": "IN_TRANSIT"}


def _arrived(here: RowMapping, row: RowMapping) -> dict[str, object]:
    """The stage that an in-scan brings: a station, the destination branch, or on the way."""
    if row["stage"] == "RETURNING":
        return {}
    if here["kind"] == "station":
        return {"stage": "AT_STATION", "station": here["id"]}
    if here["id"] == row["dest_unit"]:
        return {"stage": "AT_BRANCH"}
    return {"stage": "IN_TRANSIT"}


def _change(cx: Connection, waybill: int, values: dict[str, object]) -> None:
    cx.execute(waybills.update().where(waybills.c.id == waybill).values(values))


def _is_rostered(person: str, area: str, who: Principal, now: int) -> ColumnElement[bool]:
    return exists().where(
        roster.c.person == person,
        roster.c.area == area,
        roster.c.valid_from <= now,
        roster.c.valid_to > now,
        roster.c.made_by.not_in([person, who.person, who.account]),
    )


def _in_a_circle(person: str, who: Principal, now: int) -> ColumnElement[bool]:
    return exists().where(
        assignments.c.made_by == person,
        assignments.c.person == who.person,
        assignments.c.at > now - CIRCLE_SECONDS,
    )


def _last_stop(cx: Connection, person: str) -> int:
    query = select(func.max(waybills.c.stop_seq)).where(
        waybills.c.assignee == person, waybills.c.stage == "OUT_FOR_DELIVERY"
    )
    return cx.scalar(query) or 0
