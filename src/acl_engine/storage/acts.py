"""The Acts port over the database: custody, assignment and purpose under one name."""

from acl_engine.storage.custody import ReassignStore, ScanStore
from acl_engine.storage.database import Database
from acl_engine.storage.tickets import TicketStore
from acl_engine.storage.vault import Vault


class ActStore(ScanStore, ReassignStore, TicketStore):
    """Every act that the door may let through; each is described where it is done."""

    def __init__(self, database: Database, vault: Vault) -> None:
        ScanStore.__init__(self, database)
        self._vault = vault
