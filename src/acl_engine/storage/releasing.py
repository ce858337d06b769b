"""The register of copies that left. Implements `domain.releases.Releases`."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, update

from acl_engine.domain.releases import Copy
from acl_engine.domain.tracing import PlantedMark
from acl_engine.storage.database import Database
from acl_engine.storage.planted import plant
from acl_engine.storage.tables import planted_marks, release_copies

_c = release_copies.c
_CHUNK = 500


class ReleaseStore:
    """Copies of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, copies: Sequence[Copy], marks: Sequence[PlantedMark]) -> None:
        """Register copies and plant their marks in one transaction."""
        with self._database.write() as cx:
            plant(cx, marks)
            cx.execute(insert(release_copies), [asdict(one) for one in copies])

    def planted(self, digest: str) -> bool:
        """Whether a made-up row of an earlier copy has this digest."""
        query = select(planted_marks.c.digest).where(planted_marks.c.digest == digest)
        with self._database.read() as cx:
            return cx.scalar(query) is not None

    def live(self, kind: str | None = None) -> tuple[Copy, ...]:
        """The copies that have not ended, the first to expire first."""
        query = select(release_copies).where(_c.ended_at.is_(None)).order_by(_c.expires_at, _c.id)
        if kind is not None:
            query = query.where(_c.kind == kind)
        with self._database.read() as cx:
            return tuple(Copy(**row) for row in cx.execute(query).mappings())

    def of(self, ids: Sequence[str]) -> tuple[Copy, ...]:
        """The copies with these ids, by id."""
        query = select(release_copies).where(_c.id.in_(sorted(set(ids))[:_CHUNK]))
        with self._database.read() as cx:
            return tuple(Copy(**row) for row in cx.execute(query.order_by(_c.id)).mappings())

    def resources(self) -> frozenset[str]:
        """Which types of records have ever left."""
        with self._database.read() as cx:
            return frozenset(cx.scalars(select(_c.resource).distinct()))

    def end(self, copy: str, by: str, now: int) -> bool:
        """Whoever is first ends it."""
        still = (_c.id == copy) & _c.ended_at.is_(None)
        change = update(release_copies).where(still).values(ended_at=now, ended_by=by)
        with self._database.write() as cx:
            return cx.execute(change).rowcount == 1
