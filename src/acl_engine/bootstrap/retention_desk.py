"""Retention over one database under one policy; a synthetic world is swept at its log's time."""

from collections.abc import Iterator
from pathlib import Path

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.keys import LocalKeyService
from acl_engine.bootstrap.policies import policy_for
from acl_engine.bootstrap.world_clock import desk_clock
from acl_engine.domain.retention import Due
from acl_engine.enforcement.retention import Certificate, Sweeper
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.retention import SqlRetention
from acl_engine.storage.vault import Vault


class RetentionDesk:
    """Close it by `with`."""

    def __init__(self, desk: Accountability, sweeper: Sweeper) -> None:
        """Use `open`."""
        self._desk = desk
        self._sweeper = sweeper

    @classmethod
    def open(cls, url: str, policy: Path | None = None) -> "RetentionDesk":
        """Raises StoreError, ConfigError, PolicyError."""
        desk = Accountability.open(url)
        database = desk.database
        try:
            pack = policy_for(database, policy)
            clock = desk_clock(database)
            vault = Vault(LocalKeyService(desk.keys.wrapping))
            store = SqlRetention(database, vault, stored_types(pack))
            sweeper = Sweeper(pack, store, desk.store, desk.proofs, desk.pseudonyms, clock)
        except BaseException:
            database.close()
            raise
        return cls(desk, sweeper)

    def __enter__(self) -> "RetentionDesk":
        return self

    def __exit__(self, *_: object) -> None:
        self._desk.database.close()

    def plan(self) -> tuple[Due, ...]:
        """What is due, rule by rule. Changes nothing."""
        return self._sweeper.plan()

    def sweep(self, by: str) -> Iterator[Certificate]:
        """Carry it out, a batch at a time. Raises InputError under a hold."""
        self._desk.proofs.refuse_while_held()
        yield from self._sweeper.sweep(by)
