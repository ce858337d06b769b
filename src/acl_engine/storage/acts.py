"""The Acts port over the database: custody, assignment and purpose under one name."""

from acl_engine.storage.custody import ReassignStore, ScanStore
from acl_engine.storage.tickets import TicketStore


class ActStore(ScanStore, ReassignStore, TicketStore):
    """Every act that the door may let through; each is described where it is done."""
