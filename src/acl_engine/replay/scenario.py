"""The scenario format as types: what a file may say, and the published JSON Schema.

A scenario never tells the engine what to answer. It says who sends what, what the attackers want
to know, and where and by which control each step must be stopped.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from acl_engine.policy import strict_yaml
from acl_engine.replay.steps import Admin, Deed, Event, Fault, Http, Tamper


class Both(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class Source(msgspec.Struct, forbid_unknown_fields=True):
    case: int
    patterns: tuple[int, ...]
    refs: tuple[str, ...] = ()


class Maps(msgspec.Struct, forbid_unknown_fields=True):
    law: tuple[str, ...] = ()
    remediation: tuple[str, ...] = ()


class WorldRef(msgspec.Struct, forbid_unknown_fields=True):
    pack: str
    seed: str
    at: str


class Param(msgspec.Struct, forbid_unknown_fields=True):
    """Someone or something of the world: the first that fits `where`; `parcels`: all that do."""

    type: Literal["customer", "parcel", "parcels", "record"]
    where: str


class Actor(msgspec.Struct, forbid_unknown_fields=True):
    """`secrets` are those of the actor's own account. `phone` is the number they call from."""

    account: str | None
    devices: tuple[str, ...] = ()
    secrets: tuple[Literal["password", "totp"], ...] = ()
    zh: str = ""
    en: str = ""
    phone: str | None = None


class Channel(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """An offline edge. `carries`: facts, `visible_fields` (what the needed steps showed),
    `device:ID`, and of an actor: `.password`, `.totp` (the authenticator itself), `.code` (what it
    shows at that moment, used or not), `.recovery` (the first recovery code on the paper)."""

    sender: str
    to: str
    carries: tuple[str, ...]
    zh: str = ""
    en: str = ""


class Login(msgspec.Struct, forbid_unknown_fields=True, rename={"account": "as"}):
    """`account`: whose account (an actor's name); `guesses`: passwords to try in turn; `fresh`:
    log in anew although a session is open. `totp`: a code of the authenticator that the actor
    holds, none, the one that a channel told, or the recovery code on the paper."""

    device: str | None = None
    account: str | None = None
    guesses: tuple[str, ...] = ()
    totp: Literal["held", "none", "told", "recovery"] = "held"
    fresh: bool = False


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """`keep`: under which name the actor keeps what an act made, for `${made.NAME}`."""

    action: str
    resource: str = "waybill"
    key: str | None = None
    by: dict[str, str] = {}
    fields: tuple[str, ...] = ()
    params: dict[str, str] = {}
    purpose: str | None = None
    ticket: str | None = None
    limit: int = 50
    keep: str = ""

    def texts(self) -> tuple[str, ...]:
        """The key, the criteria, the parameters: where a `${variable}` may stand."""
        return self.key or "", *self.by.values(), *self.params.values()


class Expect(msgspec.Struct, forbid_unknown_fields=True):
    """`at`: login, admin, http, call, or a number of the lookup line; `by`: the controls that say
    no; `reason`: the code of the refusal; `shown`: exactly these fields of each record."""

    decision: Literal["allow", "deny"]
    at: str | None = None
    by: tuple[str, ...] = ()
    reason: str | None = None
    shown: tuple[str, ...] | None = None


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of `channel`, `advance`, `event`, `admin`, `fault`, `tamper`, or an `actor` with
    a `login`, a `request` or `http`. `tamper` and `event` may name their `actor` too."""

    id: str
    channel: str | None = None
    actor: str | None = None
    login: Login | None = None
    request: Request | None = None
    http: Http | None = None
    advance: str | None = None
    event: Event | None = None
    admin: Admin | None = None
    fault: Fault | None = None
    tamper: Tamper | None = None
    needs: tuple[str, ...] = ()
    expect: Expect | None = None
    zh: str = ""
    en: str = ""

    @property
    def deed(self) -> Deed | None:
        """What is done that is no request of an actor."""
        return self.event or self.admin or self.fault or self.tamper

    @property
    def asks(self) -> bool:
        """Whether an attacker asks the engine for something."""
        return self.login is not None or self.request is not None or self.http is not None

    def texts(self) -> Iterator[str]:
        """Every text in which a `${variable}` may stand."""
        for part in (self.request, self.http, self.deed):
            if part is not None:
                yield from part.texts()


class Tolerance(msgspec.Struct, forbid_unknown_fields=True):
    min_candidates: int


class Goal(msgspec.Struct, forbid_unknown_fields=True):
    leak: str
    tolerance: dict[str, Tolerance] = {}


class MustHold(msgspec.Struct, forbid_unknown_fields=True):
    after: Literal["blocked", "degraded", "residual", "kept"]
    before: Literal["leaked", "kept"] = "leaked"
    ablation: dict[Literal["positive_control"], Literal["leaked"]] = {}


class Residual(msgspec.Struct, forbid_unknown_fields=True):
    """A leak within someone's rights: its bound, who notices, whom the log names, who owns it."""

    people_a_day: int
    noticed_by: Both
    named: str
    owner: str
    until: str


class Earlier(msgspec.Struct, forbid_unknown_fields=True, rename={"account": "as"}):
    """What another person has honestly done before, in the same world."""

    account: str
    request: Request


class Legit(msgspec.Struct, forbid_unknown_fields=True, rename={"account": "as"}):
    account: str
    request: Request
    expect: Literal["allow"] = "allow"
    shown: tuple[str, ...] | None = None
    device: str | None = None
    first: tuple[Earlier, ...] = ()
    zh: str = ""
    en: str = ""


class Flag(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    ask: Both
    answer: str


class Training(msgspec.Struct, forbid_unknown_fields=True):
    story: Both
    hints: tuple[Both, ...] = ()
    flags: tuple[Flag, ...] = ()


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """`variants`: other people for a param (`3 draws`), other accounts for an actor: what holds
    for the ones in the file must hold for each of them."""

    schema: Literal["acl-scenario/1"]
    id: str
    title: Both
    status: Literal["draft", "active", "retired"]
    severity: Literal["critical", "high", "medium", "low"]
    source: Source
    world: WorldRef
    must_hold: MustHold
    training: Training
    maps: Maps = msgspec.field(default_factory=Maps)
    params: dict[str, Param] = {}
    actors: dict[str, Actor] = {}
    knowledge: dict[str, tuple[str, ...]] = {}
    channels: dict[str, Channel] = {}
    steps: tuple[Step, ...] = ()
    goal: Goal | None = None
    controls: tuple[str, ...] = ()
    residual: Residual | None = None
    legit: tuple[Legit, ...] = ()
    variants: dict[str, tuple[str, ...]] = {}

    @property
    def utility(self) -> bool:
        """A day of honest work: nobody attacks, nothing must be denied, nothing more be shown."""
        return self.goal is None

    def texts(self) -> Iterator[str]:
        """Every text in which a `${variable}` may stand."""
        for step in self.steps:
            yield from step.texts()
        for legit in self.legit:
            for earlier in legit.first:
                yield from earlier.request.texts()
            yield from legit.request.texts()


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, from the types that read it."""
    return strict_yaml.schema(Scenario)
