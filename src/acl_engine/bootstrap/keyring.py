"""The desk of keys: rotate, change the master key, seal what is not sealed; each act on record
before it is done.

INVARIANTS
- While a legal hold is open no data key is destroyed. Rotating goes on; destroying waits.
- A rotation that was stopped is gone on with, never begun a second time.
"""

from collections.abc import Iterator
from pathlib import Path

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.keys import LocalKeyService
from acl_engine.bootstrap.master_key import change_master
from acl_engine.domain.errors import InputError
from acl_engine.domain.keeping import Generation
from acl_engine.domain.text import Text
from acl_engine.storage.key_rotation import KeyRotation
from acl_engine.storage.vault import Vault

UNSEALED = Text(
    "keys.unsealed",
    "还有 {count} 条记录未加密",
    "{count} payloads are not sealed yet",
    "先运行 `acl keys seal`",
    "run `acl keys seal` first",
)


class KeyDesk:
    """Over one database; close it by `with`. `by` stands in the audit log."""

    def __init__(self, desk: Accountability) -> None:
        self._desk = desk
        vault = Vault(LocalKeyService(desk.keys.wrapping))
        self._rotation = KeyRotation(desk.database, vault)

    @classmethod
    def open(cls, url: str) -> "KeyDesk":
        """Raises StoreError, ConfigError."""
        return cls(Accountability.open(url))

    def __enter__(self) -> "KeyDesk":
        return self

    def __exit__(self, *_: object) -> None:
        self._desk.database.close()

    def change_master(self, by: str, new: Path, *, dry_run: bool) -> int:
        """Put the keys of this database under another master key; how many they are.

        Raises ConfigError (a key file that cannot be used), InputError."""
        keys = change_master(self._desk.database, new, dry_run=True)
        if not dry_run:
            self._desk.write_down("keys.change-master", by)
            keys = change_master(self._desk.database, new, dry_run=False)
        return keys

    def generations(self) -> tuple[Generation, ...]:
        """Every data key and how many records it serves, oldest first."""
        return self._rotation.generations()

    def unsealed(self) -> int:
        return self._rotation.unsealed()

    def seal(self, by: str) -> Iterator[int]:
        """Seal what was stored before sealing; yields how many at a time."""
        self._desk.write_down("keys.seal", by)
        yield from self._rotation.seal()

    def rotate(self, by: str) -> Iterator[int]:
        """A new data key, unless a rotation is under way, and every record key under it; yields
        how many at a time. Raises InputError where something was never sealed."""
        if count := self.unsealed():
            raise InputError(UNSEALED.of(count=count))
        if not self.left():
            self._desk.write_down("keys.rotate", by)
            self._rotation.begin()
        yield from self._rotation.rewrap()

    def left(self) -> int:
        """Record keys that still wait for a rotation that is under way."""
        return self._rotation.left()

    def destroy_old(self, by: str) -> tuple[int, ...]:
        """Destroy the data keys that serve nothing any more. Raises InputError under a hold."""
        self._desk.proofs.refuse_while_held()
        newest = max((one.number for one in self.generations()), default=0)
        older = tuple(one.number for one in self.generations() if one.number < newest)
        if not older:
            return ()
        self._desk.write_down("keys.destroy", by, evidence=older)
        return self._rotation.destroy_old()
