"""One run of a scenario over one stage: who sends what, what comes back, who then knows what."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text
from acl_engine.replay import predicate as p
from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.scenario import VARIABLE, Channel, Param, Scenario, Step
from acl_engine.replay.stage import Outcome, Stage, try_query
from acl_engine.replay.world.parcels import Parcel
from acl_engine.replay.world.truth import Truth

NOBODY_FITS = Text(
    "scenario.nobody-fits",
    "世界里没有符合 `{where}` 的 `{name}`",
    "nothing in the world fits `{name}`: {where}",
    "修改 `where` 或种子",
    "change `where`, or the seed",
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# Words of a scenario for fields of a record.
_FIELDS = {
    "phone": "recipient_phone",
    "name": "recipient_name",
    "address": "unit",
    "waybill_no": "waybill_no",
    "item": "item",
}


@dataclass(frozen=True, slots=True)
class StepResult:
    """`tried` is False when the actor lacked what the step needs: it was never sent."""

    step: Step
    tried: bool
    outcome: Outcome | None = None
    taught: tuple[Fact, ...] = ()


@dataclass
class Run:
    """A finished run: the steps in order, and every actor's mind at the end."""

    steps: list[StepResult] = field(default_factory=list)
    minds: dict[str, Mind] = field(default_factory=dict)
    after_step: dict[str, dict[str, Mind]] = field(default_factory=dict)

    def result(self, step: str) -> StepResult | None:
        return next((one for one in self.steps if one.step.id == step), None)


def field_of(word: str) -> str:
    """The record's field that a scenario's word means."""
    return _FIELDS.get(word, word)


Assumed = Mapping[str, Mapping[str, Mind]]


class Runner:
    """Runs a scenario's steps on a stage. `assumed` hands over what each step taught elsewhere."""

    def __init__(self, scenario: Scenario, stage: Stage, assumed: Assumed | None = None) -> None:
        self._scenario = scenario
        self._stage = stage
        self._truth = stage.truth
        self._assumed = assumed or {}
        self.entities = bind(scenario, stage.truth)
        self._run = Run(minds={name: Mind() for name in scenario.actors})
        self._seen: dict[str, tuple[Fact, ...]] = {}
        self._held: dict[str, set[str]] = {
            name: set(actor.devices) for name, actor in scenario.actors.items()
        }

    def run(self) -> Run:
        self._begin()
        for step in self._scenario.steps:
            self._one(step)
            for who, mind in self._assumed.get(step.id, {}).items():
                self._run.minds[who].merge(mind)
            self._run.after_step[step.id] = {
                who: mind.copy() for who, mind in self._run.minds.items()
            }
        return self._run

    def _begin(self) -> None:
        for name, actor in self._scenario.actors.items():
            mind = self._run.minds[name]
            for secret in actor.secrets:
                if actor.account:
                    mind.left[Fact(actor.account, secret)] = 1
        for who, facts in self._scenario.knowledge.items():
            for word in facts:
                self._give(self._run.minds[who], word)

    def _give(self, mind: Mind, word: str) -> None:
        """Knowledge that a file states at the start: true by definition."""
        for fact in self._facts(word):
            mind.left[fact] = 1
            name, attribute = word.split(".")
            if attribute == "phone":
                mind.link(self._attribute(name, "phone"), fact.subject)
                mind.links = {pair for pair in mind.links if pair[1] != fact.subject}

    def _one(self, step: Step) -> None:
        if step.advance:
            self._stage.clock.advance(int(step.advance[:-1]) * _UNITS[step.advance[-1]])
            self._run.steps.append(StepResult(step, True))
        elif step.event:
            caller = VARIABLE.sub(lambda m: self._plain(m[1], m[2]), step.event.caller)
            self._stage.called(step.event.id, caller)
            self._run.steps.append(StepResult(step, True))
        elif step.channel:
            self._carry(step, self._scenario.channels[step.channel])
        elif step.actor:
            self._act(step, step.actor)

    # --- channels ------------------------------------------------------------------------------

    def _carry(self, step: Step, channel: Channel) -> None:
        source, target = self._run.minds[channel.sender], self._run.minds[channel.to]
        carried: list[Fact] = []
        for word in channel.carries:
            if word == "visible_fields":
                for needed in step.needs:
                    carried.extend(self._seen.get(needed, ()))
            elif word.startswith("device:"):
                self._held[channel.to].add(word.removeprefix("device:"))
            elif word.endswith((".password", ".totp")):
                name, secret = word.split(".")
                account = self._scenario.actors[name].account or name
                carried.append(Fact(account, secret))
            else:
                carried.extend(self._facts(word))
        known = [fact for fact in carried if fact in source.left or fact in source.views]
        target.take(source, known)
        useful = bool(known) or any(w.startswith("device:") for w in channel.carries)
        self._run.steps.append(StepResult(step, useful, None, tuple(known)))

    # --- requests ------------------------------------------------------------------------------

    def _act(self, step: Step, who: str) -> None:
        mind = self._run.minds[who]
        filled = self._filled(step, mind)
        account, device = self._as(step, who), step.login.device if step.login else None
        if filled is None or account is None:
            self._run.steps.append(StepResult(step, False))
            return
        if device is None and self._scenario.actors[who].devices:
            device = self._scenario.actors[who].devices[0]
        entered = self._login(step, who, account, device)
        if entered is None:
            self._run.steps.append(StepResult(step, False))
            return
        if not entered.allowed or step.request is None:
            if entered.allowed:
                mind.acts.add(("login", account))
            self._run.steps.append(StepResult(step, True, entered))
            return
        key, by, params = filled
        request = step.request
        taught: list[Fact] = []
        outcome = entered
        for one in key:
            query = try_query(
                request.action,
                request.resource,
                one,
                by,
                request.fields,
                params,
                request.limit,
            )
            outcome = self._stage.ask(account, device, query)
            if not outcome.allowed:
                break
            mind.acts.add((request.action, one or ""))
            taught.extend(self._learn(mind, outcome, one, by))
        self._seen[step.id] = tuple(taught)
        self._run.steps.append(StepResult(step, True, outcome, tuple(taught)))

    def _as(self, step: Step, who: str) -> str | None:
        name = step.login.account if step.login and step.login.account else who
        return self._scenario.actors[name].account

    def _login(self, step: Step, who: str, account: str, device: str | None) -> Outcome | None:
        """None: the actor lacks the device or any password to try, and sends nothing."""
        mind, login = self._run.minds[who], step.login
        if device is not None and device not in self._held[who]:
            return None
        known = mind.knows(Fact(account, "password"))
        service = self._truth.world.staff[account].member.service
        passwords = list(login.guesses) if login else []
        if known and not passwords:
            passwords = [self._truth.password(account, weak=self._stage.weak)]
        if service:
            passwords = [""]
        if not passwords:
            return None
        totp = mind.knows(Fact(account, "totp")) and not (login and login.totp == "none")
        outcome = Outcome(False, "login")
        for password in passwords:
            outcome = self._stage.login(account, password, totp=totp, device=device)
            if outcome.allowed:
                break
        return outcome

    def _filled(
        self, step: Step, mind: Mind
    ) -> tuple[list[str | None], dict[str, str], dict[str, str]] | None:
        """The request's texts with their variables; None when the actor does not know one."""
        if step.request is None:
            return [None], {}, {}
        keys: list[str | None] = [step.request.key]
        if step.request.key and "${learned." in step.request.key:
            keys = list(self._learned(mind, step.request.key))
        elif step.request.key:
            keys = [self._text(step.request.key, mind)]
        by = {name: self._text(value, mind) for name, value in step.request.by.items()}
        params = {name: self._text(value, mind) for name, value in step.request.params.items()}
        found: list[str | None] = [*keys, *by.values(), *params.values()]
        if not keys or (step.request.key and None in keys) or None in found[len(keys) :]:
            return None
        return keys, {k: v or "" for k, v in by.items()}, {k: v or "" for k, v in params.items()}

    def _learned(self, mind: Mind, text: str) -> list[str]:
        """`${learned.waybill_no}`: every record number that the actor knows."""
        return sorted(
            fact.subject for fact, left in mind.left.items()
            if fact.field == "waybill_no" and left == 1
        )  # fmt: skip

    def _text(self, text: str, mind: Mind) -> str | None:
        missing = False

        def value(match: re.Match[str]) -> str:
            nonlocal missing
            name, attribute = match[1], match[2]
            if name in self._scenario.actors:
                return self._plain(name, attribute)
            if not any(mind.knows(fact) for fact in self._facts(f"{name}.{attribute}")):
                missing = True
            return self._attribute(name, attribute)

        filled = VARIABLE.sub(value, text)
        return None if missing else filled

    # --- what is learned -----------------------------------------------------------------------

    def _learn(
        self, mind: Mind, outcome: Outcome, key: str | None, by: Mapping[str, str]
    ) -> list[Fact]:
        taught: list[Fact] = []
        for view in outcome.views():
            # A masked number names no record; the key that was asked by does.
            names = (key, view.get("handle"), view.get("waybill_no"))
            known = (self._truth.by_number.get(name) for name in names if name)
            parcel = next((one for one in known if one), None)
            if parcel is None:
                continue
            truths = {**parcel.fields, "waybill_no": parcel.waybill_no}
            for name, shown in view.items():
                if name == "handle":
                    continue
                fact = Fact(parcel.waybill_no, name)
                truth = truths.get(name, shown if name in ("route", "trace") else "")
                mind.learn(fact, shown, truth, str(parcel.facts["city"]))
                taught.append(fact)
            mind.left.setdefault(Fact(parcel.waybill_no, "waybill_no"), 1)
            for name in ("recipient_phone", "phone"):
                if name in by or view.get("recipient_phone") == truths["recipient_phone"]:
                    mind.link(truths["recipient_phone"], parcel.waybill_no)
        return taught

    # --- entities ------------------------------------------------------------------------------

    def _facts(self, word: str) -> list[Fact]:
        """`victim.phone` -> the facts of every record of theirs; `p1.waybill_no` -> one."""
        name, attribute = word.split(".")
        wanted = field_of(attribute)
        return [Fact(parcel.waybill_no, wanted) for parcel in self.entities.get(name, ())]

    def _plain(self, name: str, attribute: str) -> str:
        """An actor's own account or phone."""
        actor = self._scenario.actors[name]
        return str(actor.phone or "") if attribute == "phone" else str(actor.account)

    def _attribute(self, name: str, attribute: str) -> str:
        parcels = self.entities[name]
        wanted = field_of(attribute)
        if wanted == "waybill_no":
            return parcels[0].waybill_no
        return parcels[0].fields[wanted]


def bind(scenario: Scenario, truth: Truth) -> dict[str, tuple[Parcel, ...]]:
    """Each param as its parcels: a customer's own, or the one that was meant."""
    return {name: _bound(name, param, truth, scenario) for name, param in scenario.params.items()}


def _bound(name: str, param: Param, truth: Truth, scenario: Scenario) -> tuple[Parcel, ...]:
    tree = p.parse(param.where, Where(scenario.id))
    if param.type == "parcel":
        for parcel in truth.parcels:
            if _fits(tree, (parcel,), parcel.name, truth, scenario):
                return (parcel,)
    else:
        for customer in truth.world.customers:
            parcels = truth.of_customer(customer)
            if parcels and _fits(tree, parcels, customer, truth, scenario):
                return parcels
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
    "stage": lambda word, parcels, *_: any(one.facts["stage"] == word for one in parcels),
    "served_by": _served_by,
    "assignee": _assignee,
}
