"""Budgets as the door uses them: each change with a record, in its commit."""

from collections.abc import Sequence
from typing import Any

from acl_engine.domain.budgets import Reservation, Seen
from acl_engine.domain.parts import Part
from acl_engine.storage.budgets import BudgetStore
from acl_engine.storage.database import Database
from tests.contract.test_audit_store import entry, store_of


class Till:
    """A `BudgetStore` whose parts are carried out at once."""

    def __init__(self, database: Database, *arguments: Any, **more: Any) -> None:
        self.store = BudgetStore(database, *arguments, **more)
        self.log = store_of(database)

    def reserve(self, *asked: Any, **more: Any) -> Reservation:
        return self._done(self.store.reserve(*asked, **more))

    def settle(self, reservation: Reservation, amount: int, seen: Sequence[Seen] = ()) -> None:
        self._done(self.store.settle(reservation, amount, seen))

    def release(self, reservation: Reservation) -> None:
        self._done(self.store.release(reservation))

    def _done(self, part: Part[Any, Reservation]) -> Reservation:
        self.log.append(entry("a-look"), part)
        return part.result()
