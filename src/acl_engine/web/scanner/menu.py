"""What a role may ever do, read from the policy's rows: it chooses what the page offers.

It grants nothing: whatever is pressed walks the engine's line and may be refused there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.pack_settings import PurposeSpec
from acl_engine.domain.text import Text

PARCEL = "waybill"
# A relation that asks for a purpose is named after it (relations.yaml).
_PURPOSE = re.compile(r"\bfor_([a-z_]+)")

STAGES: Mapping[str, Text] = {
    "OUT_FOR_DELIVERY": Text("scanner.out-for-delivery", "派送", "Delivery"),
    "AT_BRANCH": Text("scanner.at-branch", "在库", "At the branch"),
    "ORDERED": Text("scanner.ordered", "揽收", "Pickup"),
}


@dataclass(frozen=True, slots=True)
class Menu:
    """`lists`: stages whose parcels the role may search, as pages. `acts`: what it may do to a
    parcel. `purposes`: what it may ask for a right for."""

    lists: tuple[str, ...]
    acts: frozenset[str]
    purposes: Mapping[str, PurposeSpec]


def menu_of(pack: Pack, role: str) -> Menu:
    """The menu of a role and of the groups that it is in."""
    rows = list(_rows(pack, role))
    searched = {stage for row in rows if row.action == "search" for stage in row.stages}
    words = {
        found.replace("_", "-")
        for row in rows
        if row.action == "ask"
        for found in _PURPOSE.findall(row.relation)
    }
    known = pack.settings.approvals.purposes if pack.settings.approvals else {}
    return Menu(
        lists=tuple(stage for stage in STAGES if stage in searched),
        acts=frozenset(row.action for row in rows),
        purposes={name: spec for name, spec in known.items() if name in words},
    )


def _rows(pack: Pack, role: str) -> Iterator[Row]:
    roles, more = {role}, {role}
    while more:
        more = {group for member, group in pack.role_links if member in more} - roles
        roles |= more
    return (r for r in pack.rows if r.allow and r.resource == PARCEL and r.role in roles)
