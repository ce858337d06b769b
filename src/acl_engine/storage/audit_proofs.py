"""What proofs of the audit log are made of: hashes of subtrees, checkpoints; and legal holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.tables import (
    audit_checkpoints,
    audit_holds,
    audit_nodes,
    audit_records,
)

# Subtree roots are kept for 2^8, 2^16 and 2^24 records, as in C2SP tlog-tiles.
_LEVELS = (8, 16, 24)
_WIDTH = 256

HELD = Text(
    "audit.held",
    "案件 `{case}` 已处于保全状态",
    "the hold `{case}` is already open",
    "用 `acl audit hold --list` 查看",
    "see `acl audit hold --list`",
)
NOT_HELD = Text(
    "audit.not-held",
    "没有进行中的保全 `{case}`",
    "there is no open hold `{case}`",
    "用 `acl audit hold --list` 查看",
    "see `acl audit hold --list`",
)
UNDER_HOLD = Text(
    "audit.under-hold",
    "案件保全中，不得删除或销毁密钥：{cases}",
    "nothing is deleted and no key destroyed while a hold is open: {cases}",
    "解除保全后再执行：`acl audit hold CASE --release`",
    "release it first: `acl audit hold CASE --release`",
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A case for which nothing may be deleted; `opened_at` in epoch milliseconds."""

    case: str
    opened_at: int
    opened_by: str


class AuditProofStore:
    """Implements `audit.merkle.HashSource` and `domain.accountability.LegalHolds`.

    `fold` makes one hash of 256 (the audit room's)."""

    def __init__(self, database: Database, fold: Callable[[list[bytes]], bytes]) -> None:
        self._database = database
        self._fold = fold

    def size(self) -> int:
        """How many records the log has."""
        with self._database.read() as cx:
            last = cx.execute(select(func.max(audit_records.c.index))).scalar()
        return 0 if last is None else int(last) + 1

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Subtree roots in order; short where some are not kept."""
        if level == 0:
            c = audit_records.c
            query = select(c.index, c.leaf).where(c.index >= start, c.index < end).order_by(c.index)
        else:
            n = audit_nodes.c
            query = select(n.position, n.hash).where(
                n.level == level, n.position >= start, n.position < end
            )
            query = query.order_by(n.position)
        with self._database.read() as cx:
            rows = cx.execute(query).all()
        return [row[1] if isinstance(row[1], bytes) else b"" for row in rows]

    def keep_nodes(self, size: int) -> None:
        """Keep the roots of all complete 256-wide subtrees below `size` that are not kept yet."""
        for level in _LEVELS:
            done, complete = self._kept(level), size >> level
            while done < complete:
                upto = min(complete, done + _WIDTH)
                found = self.hashes(level - 8, done * _WIDTH, upto * _WIDTH)
                if len(found) != (upto - done) * _WIDTH:
                    return
                rows = [
                    {"level": level, "position": done + i, "hash": self._fold(list(tile))}
                    for i, tile in enumerate(_tiles(found))
                ]
                with self._database.write() as cx:
                    cx.execute(insert(audit_nodes), rows)
                done = upto

    def _kept(self, level: int) -> int:
        query = select(func.max(audit_nodes.c.position)).where(audit_nodes.c.level == level)
        with self._database.read() as cx:
            last = cx.execute(query).scalar()
        return 0 if last is None else int(last) + 1

    # --- checkpoints -----------------------------------------------------------------------------

    def add_checkpoint(self, size: int, at: int, note: str) -> None:
        """Keep a signed note; `at` in epoch milliseconds."""
        with self._database.write() as cx:
            cx.execute(insert(audit_checkpoints).values(size=size, at=at, note=note))

    def checkpoints(self) -> list[str]:
        """Every note in the order it was kept."""
        query = select(audit_checkpoints.c.note).order_by(audit_checkpoints.c.id)
        with self._database.read() as cx:
            return [str(note) for note in cx.execute(query).scalars()]

    # --- legal holds -----------------------------------------------------------------------------

    def hold(self, case: str, at: int, by: str) -> None:
        """Open a hold. Raises InputError when that case has one, released or not."""
        with self._database.write() as cx:
            if cx.execute(select(audit_holds).where(audit_holds.c.case_id == case)).first():
                raise InputError(HELD.of(case=case))
            row = {"case_id": case, "opened_at": at, "opened_by": by}
            cx.execute(insert(audit_holds).values(**row))

    def release(self, case: str, at: int, by: str) -> None:
        """End a hold. Raises InputError when there is none."""
        c = audit_holds.c
        change = update(audit_holds).where(c.case_id == case, c.released_at.is_(None))
        with self._database.write() as cx:
            done = cx.execute(change.values(released_at=at, released_by=by))
            if done.rowcount != 1:
                raise InputError(NOT_HELD.of(case=case))

    def holds(self) -> list[Hold]:
        """The open holds. While there is one, retention and key destruction must not run."""
        c = audit_holds.c
        query = select(c.case_id, c.opened_at, c.opened_by).where(c.released_at.is_(None))
        with self._database.read() as cx:
            rows = cx.execute(query.order_by(c.case_id)).all()
        return [Hold(str(row[0]), int(row[1]), str(row[2])) for row in rows]

    def refuse_while_held(self) -> None:
        """Implements `domain.accountability.LegalHolds`. Raises InputError naming the cases."""
        if cases := ", ".join(hold.case for hold in self.holds()):
            raise InputError(UNDER_HOLD.of(cases=cases))


def _tiles(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [hashes[i : i + _WIDTH] for i in range(0, len(hashes), _WIDTH)]
