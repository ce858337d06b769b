"""The duty roster of approvals, and how approvals went: what waits for a review, who stamps.

INVARIANTS
- A line is ended, never changed or deleted: who was on duty when stays known.
- Reading how approvals went opens no paper and names no record that was looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from sqlalchemy import and_, insert, select, update

from acl_engine.domain.approvals import Duty, RosterLine, Stamping, Unreviewed
from acl_engine.storage.database import Database
from acl_engine.storage.tables import approval_votes, approvals, duties, persons

_a, _v, _d = approvals.c, approval_votes.c, duties.c


class DutyStore:
    """Implements `domain.approvals.Duties` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roster(self, now: int) -> Sequence[RosterLine]:
        """The lines that are not over, by desk, whoever is first in it first."""
        query = (
            select(duties, persons.c.unit)
            .join(persons, persons.c.id == _d.person)
            .where(_d.ends_at > now, persons.c.status == "active")
            .order_by(_d.desk, _d.substitute, _d.id)
        )
        with self._database.read() as cx:
            rows = cx.execute(query).mappings().all()
        names = Duty.__dataclass_fields__
        return [
            RosterLine(row["id"], row["unit"], Duty(**{n: row[n] for n in names})) for row in rows
        ]

    def add(self, duty: Duty) -> None:
        values = {name: getattr(duty, name) for name in Duty.__dataclass_fields__}
        with self._database.write() as cx:
            cx.execute(insert(duties).values(values))

    def end(self, line: int, now: int) -> bool:
        """End a line that is not over; whether there was one."""
        still = and_(_d.id == line, _d.ends_at > now)
        with self._database.write() as cx:
            return cx.execute(update(duties).where(still).values(ends_at=now)).rowcount == 1

    def unreviewed(self) -> Sequence[Unreviewed]:
        """Cases that wait to be looked at afterwards, the first that is due first."""
        query = (
            select(_a.approval_no, _a.account, _a.purpose, _a.urgent, _a.review_until)
            .where(
                ~_a.reviewed, _a.review_until.is_not(None), _a.granted_at.is_not(None) | _a.urgent
            )
            .order_by(_a.review_until, _a.id)
        )
        with self._database.read() as cx:
            return [Unreviewed(*row) for row in cx.execute(query)]

    def stamping(self, since: int) -> Sequence[Stamping]:
        """How each approver has answered since then."""
        query = (
            select(_v.person, _v.at, _v.agree, _a.asked_at, _a.sound)
            .join(approvals, _a.id == _v.approval)
            .where(_v.at >= since)
            .order_by(_v.person, _v.at)
        )
        answers = defaultdict(list)
        with self._database.read() as cx:
            for row in cx.execute(query):
                answers[row.person].append(row)
        return [
            Stamping(
                person=person,
                answers=len(rows),
                agreed=sum(row.agree for row in rows),
                median_seconds=int(median(row.at - row.asked_at for row in rows)),
                shortest_pause=min((b.at - a.at for a, b in pairwise(rows)), default=0),
                found_wrong=sum(row.agree and row.sound is False for row in rows),
            )
            for person, rows in answers.items()
        ]
