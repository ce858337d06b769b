"""Who a scenario is about: each param bound to the first in the world that fits its `where`."""

from collections.abc import Callable, Iterator, Mapping

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text
from acl_engine.replay import predicate as p
from acl_engine.replay.scenario import Param, Scenario
from acl_engine.replay.world.parcels import Parcel
from acl_engine.replay.world.truth import Truth

NOBODY_FITS = Text(
    "scenario.nobody-fits",
    "世界里没有符合 `{where}` 的 `{name}`",
    "nothing in the world fits `{name}`: {where}",
    "修改 `where` 或种子",
    "change `where`, or the seed",
)

Entities = Mapping[str, tuple[Parcel, ...]]


def bind(scenario: Scenario, truth: Truth) -> dict[str, tuple[Parcel, ...]]:
    """Each param as its parcels: a customer's own, or the one that was meant.

    Raises ScenarioError when nothing fits."""
    return {name: _first(name, param, scenario, truth) for name, param in scenario.params.items()}


def fitting(param: Param, scenario: Scenario, truth: Truth) -> Iterator[tuple[Parcel, ...]]:
    """Everyone in the world who fits, in the seed's order."""
    tree = p.parse(param.where, Where(scenario.id))
    if param.type == "parcel":
        for parcel in truth.parcels:
            if _fits(tree, (parcel,), parcel.name, truth, scenario):
                yield (parcel,)
    else:
        for customer, parcels in truth.recipients.items():
            if _fits(tree, parcels, customer, truth, scenario):
                yield parcels


def _first(name: str, param: Param, scenario: Scenario, truth: Truth) -> tuple[Parcel, ...]:
    for found in fitting(param, scenario, truth):
        return found
    raise ScenarioError(NOBODY_FITS.of(name=name, where=param.where), Where(scenario.id))


def _fits(
    tree: p.Predicate,
    parcels: tuple[Parcel, ...],
    name: str | None,
    truth: Truth,
    scenario: Scenario,
) -> bool:
    match tree:
        case p.Not(part):
            return not _fits(part, parcels, name, truth, scenario)
        case p.And(parts):
            return all(_fits(part, parcels, name, truth, scenario) for part in parts)
        case p.Or(parts):
            return any(_fits(part, parcels, name, truth, scenario) for part in parts)
        case p.Atom(atom, args):
            return _SELECT[atom](args[0][0], parcels, name, truth, scenario)


def _served_by(
    actor: str, parcels: tuple[Parcel, ...], _: str | None, truth: Truth, scenario: Scenario
) -> bool:
    account = scenario.actors[actor].account or ""
    unit = truth.world.staff[account].member.unit
    return any(parcel.facts["dest_unit"] == unit for parcel in parcels)


def _assignee(
    actor: str, parcels: tuple[Parcel, ...], _: str | None, truth: Truth, scenario: Scenario
) -> bool:
    person = truth.world.staff[scenario.actors[actor].account or ""].person
    return any(parcel.facts["assignee"] == person for parcel in parcels)


_SELECT: Mapping[str, Callable[..., bool]] = {
    "named": lambda word, parcels, name, truth, scenario: name == word,
    "waybill": lambda word, parcels, *_: any(one.waybill_no == word for one in parcels),
    "stage": lambda word, parcels, *_: any(one.facts["stage"] == word for one in parcels),
    "served_by": _served_by,
    "assignee": _assignee,
}
