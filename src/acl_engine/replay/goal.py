"""Whether a goal is reached: a predicate on what the attackers know and did at the end."""

from dataclasses import dataclass

from acl_engine.domain.errors import Where
from acl_engine.replay import predicate as p
from acl_engine.replay.casting import bind
from acl_engine.replay.detection import noticed
from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.predicate import ATTACKERS
from acl_engine.replay.run import Run, seconds
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.world.entry import Entry
from acl_engine.replay.world.truth import Truth

# Words for what makes a record one living person's.
_IDENTIFYING = ("address", "phone", "id_number")


@dataclass(frozen=True, slots=True)
class Reached:
    """`candidates`: the fewest left of a fact that the goal asks for, if any was narrowed down.
    `people`: how many people's exact address or full number somebody now knows."""

    holds: bool
    candidates: int | None
    tolerated: bool
    people: int


def reached(scenario: Scenario, run: Run, truth: Truth) -> Reached:
    """The goal of a scenario at the end of a run."""
    if scenario.goal is None:
        return Reached(False, None, True, 0)
    tree = p.parse(scenario.goal.leak, Where(scenario.id))
    reader = _Reader(scenario, run, truth)
    holds = reader.holds(tree)
    narrowed = [] if holds else list(reader.narrowed(tree))
    candidates = min((left for _, left in narrowed), default=None)
    tolerated = all(left >= _minimum(scenario, field) for field, left in narrowed)
    return Reached(holds, candidates, tolerated, reader.people())


def _minimum(scenario: Scenario, field: str) -> int:
    assert scenario.goal is not None
    tolerance = scenario.goal.tolerance.get(field)
    # Without a stated tolerance, any narrowing down counts as the leak.
    return tolerance.min_candidates if tolerance else 1 << 62


class _Reader:
    def __init__(self, scenario: Scenario, run: Run, truth: Truth) -> None:
        self._run = run
        self._truth = truth
        self._field = truth.vocabulary.field
        self._entities = bind(scenario, truth)
        self._scenario = scenario

    def holds(self, tree: p.Predicate) -> bool:
        match tree:
            case p.Not(part):
                return not self.holds(part)
            case p.And(parts):
                return all(self.holds(part) for part in parts)
            case p.Or(parts):
                return any(self.holds(part) for part in parts)
            case p.Atom("knows", (who, what)):
                return self._knows(self._mind(who[0]), what)
            case p.Atom("knows_many", (who, field, number)):
                return len(self._known(self._mind(who[0]), self._field(field[0]))) >= int(number[0])
            case p.Atom("acts", (who, action, thing)):
                return self._acts(self._mind(who[0]), action[0], thing[0])
            case p.Atom("undetected", (within,)):
                first = noticed(self._run)
                return first is None or first.seconds > seconds(within[0])
            case p.Atom(p.UNTRACED, (who,)):
                return self._scenario.actors[who[0]].account not in self._run.named
        return False

    def narrowed(self, tree: p.Predicate) -> list[tuple[str, int]]:
        """(field, candidates left) of each fact that the goal asks for and that was masked."""
        found: list[tuple[str, int]] = []
        for atom in p.atoms(tree):
            if atom.name != "knows":
                continue
            mind = self._mind(atom.args[0][0])
            for word in atom.args[1]:
                name, attribute = word.split(".")
                for entry in self._entities.get(name, ()):
                    fact = Fact(entry.key, self._field(attribute))
                    left = mind.left.get(fact)
                    if left is not None and left > 1:
                        found.append((attribute, left))
        return found

    def people(self) -> int:
        mind = self._mind(ATTACKERS)
        exact = {self._field(word) for word in _IDENTIFYING}
        whom = {
            self._truth.by_number[fact.subject].person
            for fact, left in mind.left.items()
            if left == 1 and fact.field in exact
            and fact.subject in self._truth.by_number
        }  # fmt: skip
        return len(whom)

    def _mind(self, who: str) -> Mind:
        if who != ATTACKERS:
            return self._run.minds[who]
        joint = Mind(kinds=self._truth.vocabulary.kinds)
        for mind in self._run.minds.values():
            joint.merge(mind)
            joint.acts |= mind.acts
        return joint

    def _knows(self, mind: Mind, what: tuple[str, ...]) -> bool:
        target = what[-1]
        name, attribute = target.split(".")
        for entry in self._entities[name]:
            if not mind.knows(Fact(entry.key, self._field(attribute))):
                continue
            if len(what) == 1 or self._linked(mind, what[0], entry):
                return True
        return False

    def _linked(self, mind: Mind, source: str, entry: Entry) -> bool:
        """Whether the attacker can tell that this record belongs to the person of that phone."""
        phone = entry.fields[self._field(source.split(".")[1])]
        return (phone, entry.key) in mind.links

    def _known(self, mind: Mind, field: str) -> set[str]:
        return {f.subject for f, left in mind.left.items() if f.field == field and left == 1}

    def _acts(self, mind: Mind, action: str, thing: str) -> bool:
        if thing in self._entities:
            numbers = {entry.key for entry in self._entities[thing]}
            return any((action, number) in mind.acts for number in numbers)
        actor = self._scenario.actors.get(thing)
        return (action, actor.account if actor else thing) in mind.acts
