"""Whom a look shows: persons by kind of data, weighed by clarity, for the budgets.

A person is counted by the keyed hash of who they are (the record's attribute that the catalogue
names as the field's `person`), so that their next parcel is no new person. Where the catalogue does
not say, the record stands for its person.
"""

from collections.abc import Mapping, Sequence

from acl_engine.domain.budgets import NO_WEIGHTS, WHOLE, Seen
from acl_engine.domain.decision import Decision, Grant, Show
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.request import Action
from acl_engine.domain.view import View
from acl_engine.enforcement.trail import Trail

# What shows a record's fields. A count or a yes is a look, and names nobody.
SHOWING = frozenset(
    {
        Action.READ,
        Action.SEARCH,
        Action.TRACE,
        Action.REVERSE_LOOKUP,
        Action.EXPORT,
        Action.PUBLISH,
        Action.DISCLOSE,
    }
)


def weights(trail: Trail) -> Mapping[str, int]:
    """Per kind of data, the most that one record of this look can show of persons."""
    decision, request = trail.decision, trail.asked
    if decision is None or request.action not in SHOWING:
        return NO_WEIGHTS
    fields = trail.door.pack.resources[request.resource].fields
    clearest: dict[tuple[str, str | None], int] = {}
    for name, grant in decision.grants.items():
        if name in fields and (not request.fields or name in request.fields):
            spec = fields[name]
            key = (spec.data, spec.person)
            clearest[key] = max(clearest.get(key, 0), _weight(trail, grant))
    found: dict[str, int] = {}
    for (data, _), weight in clearest.items():
        found[data] = found.get(data, 0) + weight
    return found


def seen(
    trail: Trail, judged: Sequence[tuple[PersonalRecord, Decision]], views: Sequence[View]
) -> tuple[Seen, ...]:
    """Every person that the views show, once for each kind of data that some limit counts, at the
    clearest."""
    asked = set(trail.reservation.data.values()) if trail.reservation else set()
    if trail.asked.action not in SHOWING or not asked:
        return ()
    fields = trail.door.pack.resources[trail.asked.resource].fields
    found: dict[tuple[str, str], int] = {}
    for (row, decision), view in zip(judged, views, strict=True):
        for name in view.fields:
            spec = fields[name]
            if spec.data not in asked:
                continue
            key = (spec.data, _subject(trail, row, spec.person))
            weight = _weight(trail, decision.grants[name])
            found[key] = max(found.get(key, 0), weight)
    return tuple(Seen(data, subject, weight) for (data, subject), weight in found.items())


def _weight(trail: Trail, grant: Grant) -> int:
    if grant.show is Show.HIDDEN:
        return 0
    return WHOLE if grant.show is Show.CLEAR else trail.door.pack.settings.lookup.masked_percent


def _subject(trail: Trail, row: PersonalRecord, person: str | None) -> str:
    who = row.attributes.get(person) if person else None
    kind, value = ("person", who) if isinstance(who, str) and who else (row.type, row.key)
    return trail.door.pseudonyms.digest(f"budget {kind}", value)[:32]
