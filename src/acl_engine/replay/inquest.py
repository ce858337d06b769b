"""What an investigator makes of what left the house: whom a photographed mark or a list names.

The questions are production's own (`acl audit read-mark`, `acl audit trace`), asked of the log of
the run; `untraced(who)` is true when they do not name that account.
"""

from dataclasses import dataclass, field

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.inquiry import Inquiry
from acl_engine.replay.transport import Site

INVESTIGATOR = "sec-audit-01"


@dataclass
class Left:
    """What came to light: the marks on photographed screens, and lists that were sold."""

    marks: list[str] = field(default_factory=list)
    lists: list[tuple[str, ...]] = field(default_factory=list)


def named(site: Site, left: Left) -> frozenset[str]:
    """The accounts that the log names for it: each mark one, each list whom its trace accuses."""
    desk, found = Accountability(site.database, site.keys, clock=site.clock), set[str]()
    inquiry = Inquiry(desk, INVESTIGATOR)
    for mark in filter(None, left.marks):
        found |= {seen.entry.account or "" for seen in inquiry.marked(mark).own}
    for numbers in left.lists:
        traced = inquiry.trace([(one,) for one in numbers]).traced
        found |= {account for one in traced.named for account in one.accounts}
    return frozenset(found - {""})
