"""Who a scenario is about: each param bound to the first in the world that fits its `where`."""

from collections.abc import Callable, Iterator, Mapping

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text
from acl_engine.replay import predicate as p
from acl_engine.replay.scenario import Param, Scenario
from acl_engine.replay.world.entry import Entry
from acl_engine.replay.world.truth import Truth

NOBODY_FITS = Text(
    "scenario.nobody-fits",
    "世界里没有符合 `{where}` 的 `{name}`",
    "nothing in the world fits `{name}`: {where}",
    "修改 `where` 或种子",
    "change `where`, or the seed",
)

Entities = Mapping[str, tuple[Entry, ...]]


def bind(scenario: Scenario, truth: Truth) -> dict[str, tuple[Entry, ...]]:
    """Each param as its entries: a customer's own, or the one that was meant.

    Raises ScenarioError when nothing fits."""
    return {name: _first(name, param, scenario, truth) for name, param in scenario.params.items()}


def fitting(param: Param, scenario: Scenario, truth: Truth) -> Iterator[tuple[Entry, ...]]:
    """Everyone in the world who fits, in the seed's order."""
    tree = p.parse(param.where, Where(scenario.id))
    if param.type == "parcels":
        entries = truth.entries
        found = [one for one in entries if _fits(tree, (one,), one.name, truth, scenario)]
        yield from [tuple(found)] if found else []
    elif param.type != "customer":
        for entry in truth.entries:
            if _fits(tree, (entry,), entry.name, truth, scenario):
                yield (entry,)
    else:
        for customer, entries in truth.recipients.items():
            if _fits(tree, entries, customer, truth, scenario):
                yield entries


def _first(name: str, param: Param, scenario: Scenario, truth: Truth) -> tuple[Entry, ...]:
    for found in fitting(param, scenario, truth):
        return found
    raise ScenarioError(NOBODY_FITS.of(name=name, where=param.where), Where(scenario.id))


def _fits(
    tree: p.Predicate,
    entries: tuple[Entry, ...],
    name: str | None,
    truth: Truth,
    scenario: Scenario,
) -> bool:
    match tree:
        case p.Not(part):
            return not _fits(part, entries, name, truth, scenario)
        case p.And(parts):
            return all(_fits(part, entries, name, truth, scenario) for part in parts)
        case p.Or(parts):
            return any(_fits(part, entries, name, truth, scenario) for part in parts)
        case p.Atom(atom, args):
            return _SELECT[atom](args[0][0], entries, name, truth, scenario)


def _served_by(
    actor: str, entries: tuple[Entry, ...], _: str | None, truth: Truth, scenario: Scenario
) -> bool:
    account = scenario.actors[actor].account or ""
    unit = truth.world.staff[account].member.unit
    return any(unit in (entry.facts.get("dest_unit"), entry.facts.get("unit")) for entry in entries)


def _assignee(
    actor: str, entries: tuple[Entry, ...], _: str | None, truth: Truth, scenario: Scenario
) -> bool:
    person = truth.world.staff[scenario.actors[actor].account or ""].person
    return any(entry.facts.get("assignee") == person for entry in entries)


_SELECT: Mapping[str, Callable[..., bool]] = {
    "named": lambda word, entries, name, truth, scenario: name == word,
    "waybill": lambda word, entries, *_: any(one.key == word for one in entries),
    "stage": lambda word, entries, *_: any(one.facts["stage"] == word for one in entries),
    "bound_for": lambda word, entries, *_: any(
        one.facts.get("dest_unit") == word for one in entries
    ),
    "lies_at": lambda word, entries, *_: any(
        one.facts.get("custody_unit") == word for one in entries
    ),
    "served_by": _served_by,
    "assignee": _assignee,
}
