"""What is kept beside the log's checkpoints: time stamps, and generations of the signing key."""

from sqlalchemy import func, insert, select

from acl_engine.storage.database import Database
from acl_engine.storage.tables import audit_keys, audit_stamps


class AuditKeeping:
    """Over one database. Nothing here is trusted: a stamp proves itself, a key is derived."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_stamp(self, size: int, at: int, token: bytes) -> None:
        """Keep an authority's answer about the checkpoint at a size; `at` in epoch ms."""
        with self._database.write() as cx:
            cx.execute(insert(audit_stamps).values(size=size, at=at, token=token))

    def stamps(self) -> list[tuple[int, bytes]]:
        """Size and answer of every stamp, in the order they were kept."""
        c = audit_stamps.c
        with self._database.read() as cx:
            rows = cx.execute(select(c.size, c.token).order_by(c.id)).all()
        return [(int(row[0]), row[1] if isinstance(row[1], bytes) else b"") for row in rows]

    def generation(self) -> int:
        """The generation of the key that signs now; the first is 1."""
        with self._database.read() as cx:
            return int(cx.execute(select(func.max(audit_keys.c.generation))).scalar() or 1)

    def given_up(self) -> dict[int, int]:
        """Generation -> the size of the checkpoint that it signed last, for all but the newest."""
        c = audit_keys.c
        with self._database.read() as cx:
            rows = cx.execute(select(c.generation, c.from_size)).all()
        return {int(row[0]) - 1: int(row[1]) for row in rows}

    def add_generation(self, generation: int, from_size: int, at: int) -> None:
        """From the checkpoint at `from_size` on this generation signs."""
        row = {"generation": generation, "from_size": from_size, "at": at}
        with self._database.write() as cx:
            cx.execute(insert(audit_keys).values(**row))
