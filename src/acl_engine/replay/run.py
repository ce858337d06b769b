"""One run of a scenario: who asks what, what comes back, and who then knows what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.request import Query
from acl_engine.replay.asking import of_entries
from acl_engine.replay.casting import bind
from acl_engine.replay.inquest import named as named_by_log
from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.learning import learn, read_reply
from acl_engine.replay.notary import Notary
from acl_engine.replay.outcome import Outcome, named
from acl_engine.replay.predicate import UNTRACED
from acl_engine.replay.scenario import Channel, Login, Scenario, Step
from acl_engine.replay.stage import Stage
from acl_engine.replay.steps import Deed, Http, Scene
from acl_engine.replay.words import KEPT, MADE, Words

# How a mind keeps a code that is no fact about anybody: good for a moment, or once.
_MOMENTARY = {"told": "code of ", "recovery": "recovery of "}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class StepResult:
    """`tried` is False when the actor lacked what the step needs: it was never sent. `entries` are
    what the log holds of it, `flaws` what verifying the log then finds; `at` is the clock when the
    step was over, in epoch seconds."""

    step: Step
    tried: bool
    outcome: Outcome | None = None
    taught: tuple[Fact, ...] = ()
    entries: tuple[AuditEntry, ...] = ()
    flaws: tuple[str, ...] = ()
    at: int = 0


@dataclass
class Run:
    """A finished run: the steps in order, and every actor's mind at the end. `named`: accounts
    that an investigation of what left the house names, where the goal asks for one."""

    start: int = 0
    steps: list[StepResult] = field(default_factory=list)
    minds: dict[str, Mind] = field(default_factory=dict)
    after_step: dict[str, dict[str, Mind]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()

    def result(self, step: str) -> StepResult | None:
        return next((one for one in self.steps if one.step.id == step), None)


Assumed = Mapping[str, Mapping[str, Mind]]


def seconds(duration: str) -> int:
    """`90s`, `30m`, `6h`, `2d` in seconds."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


class Runner:
    """Runs a scenario's steps on a stage. `assumed` hands over what each step taught elsewhere."""

    def __init__(self, scenario: Scenario, stage: Stage, assumed: Assumed | None = None) -> None:
        self._scenario = scenario
        self._stage = stage
        self._truth = stage.truth
        self._assumed = assumed or {}
        self._entities = bind(scenario, stage.truth)
        self._words = Words(scenario, self._entities, stage.truth.vocabulary, self._secret)
        self._run = Run(
            stage.now,
            minds={name: Mind(kinds=stage.truth.vocabulary.kinds) for name in scenario.actors},
        )
        self._seen: dict[str, tuple[Fact, ...]] = {}
        self._held: dict[str, set[str]] = {
            name: set(actor.devices) for name, actor in scenario.actors.items()
        }

    def run(self) -> Run:
        self._begin()
        tampers = any(step.tamper for step in self._scenario.steps)
        notary = Notary(self._stage.site) if tampers else None
        for step in self._scenario.steps:
            result = self._one(step)
            news = tuple(self._stage.news())
            flaws = notary.flaws() if notary else ()
            self._run.steps.append(replace(result, entries=news, flaws=flaws, at=self._stage.now))
            for who, mind in self._assumed.get(step.id, {}).items():
                self._run.minds[who].merge(mind)
            self._run.after_step[step.id] = {
                who: mind.copy() for who, mind in self._run.minds.items()
            }
        if self._scenario.goal and UNTRACED in self._scenario.goal.leak:
            self._run.named = named_by_log(self._stage.site, self._stage.left)
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
        for fact in self._words.facts(word):
            mind.left[fact] = 1
            name, attribute = word.split(".")
            if attribute == "phone" and name in self._entities:
                mind.link(self._words.value(name, "phone"), fact.subject)
                mind.links = {pair for pair in mind.links if pair[1] != fact.subject}

    def _one(self, step: Step) -> StepResult:
        if step.advance:
            self._stage.clock.advance(seconds(step.advance))
            return StepResult(step, True)
        if step.channel:
            return self._carry(step, self._scenario.channels[step.channel])
        if step.deed is not None:
            return self._deed(step, step.deed)
        if step.http is not None:
            return self._wire(step, step.http)
        return self._act(step)

    # --- what happens -------------------------------------------------------------------------

    def _deed(self, step: Step, deed: Deed) -> StepResult:
        outcome = deed.do(Scene(self._stage, self._words.plain, self._words.account))
        act = deed.act(self._words.account)
        who = step.actor or getattr(step.admin, "by", "")
        if act is not None and outcome.allowed and who in self._run.minds:
            self._run.minds[who].acts.add((act[0], self._words.plain(act[1])))
        return StepResult(step, True, outcome)

    def _carry(self, step: Step, channel: Channel) -> StepResult:
        source, target = self._run.minds[channel.sender], self._run.minds[channel.to]
        carried: list[Fact] = []
        handed = False
        for word in channel.carries:
            if word == "visible_fields":
                for needed in step.needs:
                    carried.extend(self._seen.get(needed, ()))
                    self._photographed(needed)
            elif word.startswith("device:"):
                self._held[channel.to].add(word.removeprefix("device:"))
                handed = True
            elif word.startswith((f"{KEPT}.", f"{MADE}.")):
                name = word.partition(".")[2]
                if name in source.kept:
                    target.kept[name], handed = source.kept[name], True
            elif word.endswith((".code", ".recovery")):
                handed |= self._overheard(word, source, target)
            else:
                carried.extend(self._words.facts(word))
        known = [fact for fact in carried if fact in source.left or fact in source.views]
        target.take(source, known)
        return StepResult(step, handed or bool(known), None, tuple(known))

    def _overheard(self, word: str, source: Mind, target: Mind) -> bool:
        """A code of an actor's is told; whether there was one to tell."""
        name, _, what = word.partition(".")
        account = self._words.account(name)
        if what == "code":
            code = self._stage.shown_code(account) if source.knows(Fact(account, "totp")) else ""
        else:
            code = self._stage.papers.get(account, "")
        if code:
            target.kept[f"{what} of {account}"] = code
        return bool(code)

    def _photographed(self, step: str) -> None:
        """The code on the screen is in the picture too."""
        shown = self._run.result(step)
        if shown is not None and shown.outcome is not None and shown.outcome.mark:
            self._stage.left.marks.append(shown.outcome.mark)

    # --- requests ------------------------------------------------------------------------------

    def _act(self, step: Step) -> StepResult:
        who = step.actor or ""
        mind, login = self._run.minds[who], step.login or Login()
        account = self._scenario.actors[login.account or who].account
        texts = step.request.texts() if step.request else ()
        filled = list(self._words.known(texts, mind))
        if not filled or account is None:
            return StepResult(step, False)
        device = login.device or next(iter(self._scenario.actors[who].devices), None)
        entered = self._login(login, who, account, device)
        if entered is None:
            return StepResult(step, False)
        if not entered.allowed:
            return StepResult(step, True, entered)
        if step.request is None:
            mind.acts.add(("login", account))
            return StepResult(step, True, entered)
        outcome, taught = entered, list[Fact]()
        for query in _queries(step, filled):
            outcome = self._stage.ask(account, device, query)
            if not outcome.allowed:
                break
            mind.acts.add((query.action, query.key or ""))
            mind.acts |= _heard(outcome)
            if step.request.keep:
                mind.kept[step.request.keep] = outcome.token
            taught.extend(learn(mind, self._truth, outcome.views(), query.key, query.by))
        self._seen[step.id] = tuple(taught)
        return StepResult(step, True, outcome, tuple(taught))

    def _login(self, login: Login, who: str, account: str, device: str | None) -> Outcome | None:
        """None: the actor lacks the device or any password to try, and sends nothing."""
        mind = self._run.minds[who]
        if device is not None and device not in self._held[who]:
            return None
        passwords = list(login.guesses)
        if mind.knows(Fact(account, "password")) and not passwords:
            passwords = [self._secret(account, "password")]
        if self._stage.person(account).member.service:
            passwords = [""]
        if not passwords:
            return None
        totp = mind.knows(Fact(account, "totp")) and login.totp == "held"
        typed = self._told(login, who, account)
        outcome = Outcome(False, "login")
        for password in passwords:
            outcome = self._stage.login(
                account, password, totp=totp, device=device, fresh=login.fresh, typed=typed
            )
            if outcome.allowed:
                break
        return outcome

    def _told(self, login: Login, who: str, account: str) -> str | None:
        """The code that a channel told of, or that stands on the paper."""
        kept = self._run.minds[who].kept
        if login.totp == "recovery" and self._scenario.actors[who].account == account:
            return self._stage.papers.get(account)
        return kept.get(_MOMENTARY.get(login.totp, "") + account)

    def _wire(self, step: Step, http: Http) -> StepResult:
        mind = self._run.minds[step.actor or ""]
        outcome: Outcome | None = None
        taught: list[Fact] = []
        about = [entry for entries in self._entities.values() for entry in entries]
        for texts in self._words.known(http.texts(), mind):
            reply, entries = self._stage.send(http.asked(texts))
            mind.kept |= http.kept(reply)
            taught.extend(read_reply(mind, self._truth, reply.body, about, "".join(texts)))
            if http.allowed(reply):
                outcome = Outcome(True, "http", named=named(entries) or not entries)
                mind.acts.add((http.method, http.path.partition("?")[0]))
            else:
                outcome = of_entries([one for one in entries if one.effect != "allow"])
            if outcome.line == "?":  # the application said no before there was anything to record
                outcome = replace(outcome, line="http", named=True)
            outcome = replace(outcome, status=reply.status)
        self._seen[step.id] = tuple(taught)
        return StepResult(step, outcome is not None, outcome, tuple(taught))

    def _secret(self, account: str, what: str) -> str:
        if what == "totp":
            return self._stage.code(account)
        return self._truth.password(account, weak=self._stage.weak)


def _heard(outcome: Outcome) -> set[tuple[str, str]]:
    """What a call tells of a parcel's contact: `hears_off`, `hears_answered`, and so on."""
    views = (view for view in outcome.views() if "call" in view)
    return {(f"hears_{view['call']}", view["handle"]) for view in views}


def _queries(step: Step, filled: list[tuple[str, ...]]) -> Iterator[Query]:
    """The request, once for each way its texts were filled in."""
    request = step.request
    assert request is not None
    for key, *values in filled:
        by = dict(zip(request.by, values, strict=False))
        params = dict(zip(request.params, values[len(by) :], strict=True))
        yield Query(
            action=request.action,
            resource=request.resource,
            key=key or None,
            by=by,
            fields=request.fields,
            params=params,
            purpose=request.purpose,
            ticket=request.ticket,
            limit=request.limit,
        )
