"""How far one account reaches now, and what a new version of the policy changes of that, counted.

The scopes are the decider's; what lies in them is counted by a database, through `Counts`.

INVARIANTS
- A record is counted for a field only if a look now would show that field of it.
- Nobody's data is read: only numbers come back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from acl_engine.decision.over_records import Reachable, reachable
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.domain import scope as s
from acl_engine.domain.facts import Facts
from acl_engine.domain.pack import ResourceSpec
from acl_engine.domain.request import Action, Request


class Counts(Protocol):
    """A database that counts what lies in a scope."""

    def count(self, resource: str, scope: s.Scope, people: str | None) -> tuple[int, int]:
        """How many records, and of how many different people: `people` is the attribute that tells
        them apart, None where nobody is concerned (0)."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """An account, and by record type the live facts about it, whatever record it asks for."""

    login: str
    role: str
    facts: Mapping[str, Facts]


@dataclass(frozen=True, slots=True)
class Reach:
    """What can be reached now: of how many `records`, and of how many different `people` (whose
    data -> how many).

    `field` is seen in clear or masked, by any of `actions`; a record on which it can be seen in
    clear is not counted as masked again. Where `field` is empty, the record itself is reached, by
    the one action.
    """

    type: str
    field: str
    clear: bool
    actions: tuple[str, ...]
    records: int
    people: Mapping[str, int]


# A field (empty: the record itself) and a scope -> how many records, and how many people.
Count = Callable[[str, s.Scope], tuple[int, Mapping[str, int]]]


def reached(kind: str, ways: Iterable[Reachable], count: Count) -> Iterator[Reach]:
    """The reach of all ways to records of one type; what holds no record is left out."""
    fields: dict[str, dict[tuple[bool, str], s.Scope]] = {}
    for way in ways:
        action, field, clear = way.named
        if field:
            fields.setdefault(field, {})[clear, action] = way.scope
        else:
            yield from _counted(kind, field, clear, (action,), way.scope, count)
    for field, seen in fields.items():
        in_clear = s.any_of(*(scope for (clear, _), scope in seen.items() if clear))
        for wanted in (True, False):
            mine = {
                action: scope
                for (clear, action), scope in seen.items()
                if clear is wanted and scope != s.NOTHING
            }
            scope = s.any_of(*mine.values())
            scope = scope if wanted else s.all_of(scope, s.negate(in_clear))
            yield from _counted(kind, field, wanted, tuple(mine), scope, count)


def _counted(
    kind: str, field: str, clear: bool, actions: tuple[str, ...], scope: s.Scope, count: Count
) -> Iterator[Reach]:
    if scope == s.NOTHING:
        return
    records, people = count(field, scope)
    if records:
        yield Reach(kind, field, clear, tuple(str(one) for one in actions), records, people)


def blast_radius(decider: PackDecider, asker: Asker, counts: Counts) -> tuple[Reach, ...]:
    """Every field that the account can see now, in the catalogue's order."""
    found: list[Reach] = []
    for spec in decider.pack.resources.values():
        ways = reachable(decider, spec.type, asker.facts[spec.type])
        seen = (way for way in ways if way.named[1])
        order = list(spec.fields)
        each = reached(spec.type, seen, partial(_of_person, spec, counts))
        found += sorted(each, key=lambda one: (order.index(one.field), not one.clear))
    return tuple(found)


def _of_person(
    spec: ResourceSpec, counts: Counts, field: str, scope: s.Scope
) -> tuple[int, Mapping[str, int]]:
    """Records, and people where the record says whose the field is."""
    person = spec.fields[field].person
    whose = person if person in spec.attributes else None
    records, people = counts.count(spec.type, scope, whose)
    return records, {whose: people} if whose else {}


@dataclass(frozen=True, slots=True)
class Moved:
    """What one right gains or loses over all accounts of a role. `field` is empty for the action
    itself; `clear`: seen in clear. `accounts` and `records` count who gains or loses, and pairs of
    an account and a record; `most` is the most records that one account gains or loses."""

    wider: bool
    role: str
    resource: str
    action: str
    field: str
    clear: bool
    accounts: int
    records: int
    most: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One right of a role, whose reach may differ between two versions."""

    role: str
    resource: str
    action: str


def moved(
    versions: tuple[PackDecider, PackDecider],
    cells: Iterable[Cell],
    askers: Iterable[Asker],
    counts: Counts,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Moved, ...]:
    """What changes for these accounts from the first version to the second, on this database."""
    by_role: dict[str, list[Cell]] = {}
    for cell in cells:
        by_role.setdefault(cell.role, []).append(cell)
    found: dict[tuple[bool, Cell, str, bool], list[int]] = {}
    for asker in askers:
        for cell in by_role.get(asker.role, ()):
            for key, records in _moved(versions, cell, asker, counts):
                found.setdefault(key, []).append(records)
        progress()
    return tuple(
        Moved(
            wider,
            cell.role,
            cell.resource,
            cell.action,
            field,
            clear,
            len(each),
            sum(each),
            max(each),
        )
        for (wider, cell, field, clear), each in found.items()
    )


def _moved(
    versions: tuple[PackDecider, PackDecider], cell: Cell, asker: Asker, counts: Counts
) -> Iterator[tuple[tuple[bool, Cell, str, bool], int]]:
    """What one account gains and loses of one right."""
    old, new = (_reached(decider, cell, asker.facts[cell.resource]) for decider in versions)
    known: dict[s.Scope, int] = {}
    for field, clear in dict.fromkeys((*old, *new)):
        before, after = old.get((field, clear), s.NOTHING), new.get((field, clear), s.NOTHING)
        if before == after:
            continue
        for wider, one, other in ((True, after, before), (False, before, after)):
            scope = s.all_of(one, s.negate(other))
            if scope not in known:
                known[scope] = (
                    0 if scope == s.NOTHING else counts.count(cell.resource, scope, None)[0]
                )
            if known[scope]:
                yield (wider, cell, field, clear), known[scope]


def _reached(decider: PackDecider, cell: Cell, facts: Facts) -> dict[tuple[str, bool], s.Scope]:
    """Where the action is allowed at all, and where it shows each field, and shows it in clear."""
    if cell.resource not in decider.pack.resources:
        return {}
    request = _asked(Action(cell.action), cell.resource)
    found = {("", False): decider.scope(request, facts)}
    for (field, clear), scope in decider.fields_reached(request, facts).items():
        found[field, False] = s.any_of(found.get((field, False), s.NOTHING), scope)
        if clear:
            found[field, True] = scope
    return found


def _asked(action: Action, resource: str) -> Request:
    return Request("-", action, resource, None, (), (), None, None, (), 1, None)
