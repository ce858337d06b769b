"""How far one account reaches now, and what a new version of the policy changes of that, counted.

The scopes are the decider's; what lies in them is counted by a database, through `Counts`.

INVARIANTS
- A record is counted for a field only if a look now would show that field of it.
- Nobody's data is read: only numbers come back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

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
    """A field that an account can see now, in clear or masked: of how many records, and of how
    many people. `actions` are the ways to see it."""

    resource: str
    field: str
    kind: str
    clear: bool
    actions: tuple[str, ...]
    records: int
    people: int


def blast_radius(decider: PackDecider, asker: Asker, counts: Counts) -> tuple[Reach, ...]:
    """Every field that the account can see now; what is out of reach is left out."""
    found = (
        reach
        for spec in decider.pack.resources.values()
        for field, ways in _seen(decider, asker, spec).items()
        for reach in _counted(spec, field, ways, counts)
    )
    return tuple(reach for reach in found if reach.records)


# Whether in clear, and by which action -> on which records.
_Ways = dict[tuple[bool, str], s.Scope]


def _seen(decider: PackDecider, asker: Asker, spec: ResourceSpec) -> Mapping[str, _Ways]:
    """Each field of the catalogue, with the ways in which it is shown to the account."""
    found: dict[str, _Ways] = {field: {} for field in spec.fields}
    for action in Action:
        reached = decider.fields_reached(_asked(action, spec.type), asker.facts[spec.type])
        for (field, clear), scope in reached.items():
            if scope != s.NOTHING:
                found[field][clear, str(action)] = scope
    return found


def _counted(spec: ResourceSpec, field: str, ways: _Ways, counts: Counts) -> Iterator[Reach]:
    """A record on which the field is shown in clear by one way is not counted as masked."""
    in_clear = s.any_of(*(scope for (clear, _), scope in ways.items() if clear))
    for wanted in (True, False):
        mine = {action: scope for (clear, action), scope in ways.items() if clear is wanted}
        scope = s.any_of(*mine.values())
        scope = scope if wanted else s.all_of(scope, s.negate(in_clear))
        if scope != s.NOTHING:
            records, people = counts.count(spec.type, scope, _person(spec, field))
            kind = str(spec.fields[field].kind)
            yield Reach(spec.type, field, kind, wanted, tuple(mine), records, people)


def _person(spec: ResourceSpec, field: str) -> str | None:
    """The attribute that says whose the field is; None: nobody's, or the record does not say."""
    person = spec.fields[field].person
    return person if person in spec.attributes else None


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
