"""A decision alone, for an application that enforces it itself: steps (1) to (3) of the line.

INVARIANTS
- The facts are the directory's, live; nothing that the caller says of the record counts.
- No reason leaves: unknown word, unknown record and no right are one answer.
"""

from acl_engine.domain.errors import InputError
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Query
from acl_engine.domain.request_id import new_request_id
from acl_engine.enforcement.door import Door, Refused
from acl_engine.enforcement.narrowed import SCANS, narrow
from acl_engine.enforcement.normalise import normalise


def permits(door: Door, who: Principal, query: Query) -> bool:
    """Whether this person may do this now. Raises StoreError: a decision that could not be made
    is none."""
    try:
        request = normalise(query, door.pack, new_request_id())
    except (InputError, Refused):
        return False
    if narrow(who, door.pack.settings.login) and request.action not in SCANS:
        return False  # what of a record would be shown is not ours to narrow there
    facts = door.directory.facts(who, request)
    return door.decider.permits(request, facts)
