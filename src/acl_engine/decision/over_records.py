"""One way to ask both kinds of policy about records: a casbin policy, and a pack.

What differs is how a policy names who asks and what is asked for; what is the same is the answer.

INVARIANTS
- `scope`, `decide` and `explain` of one reading agree record by record.
- A policy that cannot be asked about records is refused when the reading is made, not at a request.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from acl_engine.decision.compiled import CompiledPolicy
from acl_engine.decision.explain import explain
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.decision.partial import Rows
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import InputError, PolicyError
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.pack import ResourceSpec
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.scope import Compare, Scope, all_of
from acl_engine.domain.text import Lang, Text
from acl_engine.policy.branches import calls
from acl_engine.policy.expression import names

TOO_FEW = Text(
    "records.request",
    "模型的请求 `{fields}` 没有主体、对象、动作三项",
    "the model's request `{fields}` has no subject, object and action",
    "写作 r = sub, obj, act；其他字段放在主体之后",
    "write r = sub, obj, act; further fields stand after the subject",
)
MIXED = Text(
    "records.mixed",
    "匹配式既把 `{name}` 当作文字，又读取它的属性",
    "the matcher compares `{name}` as a text and reads its attributes too",
    "写明属性，如 {name}.name",
    "name the attribute, such as {name}.name",
)
NO_NAME = Text(
    "records.principal",
    "策略把请求人当作文字比较，给的是 {found}",
    "the policy compares who asks as a text, got {found}",
    "给出账号文字，或 Principal",
    "give the account as a text, or a Principal",
)
CONTEXT = Text(
    "records.context",
    "模型的请求还需要：{expected}；给了：{found}",
    "the model's request also needs: {expected}; given: {found}",
    "以关键字给出，如 {example}=…",
    "give it by name, such as {example}=...",
)
NO_SUBJECTS = Text(
    "records.subjects",
    "策略不列出人员，只列出角色",
    "the policy names roles, not people",
    "给出要问的人：among=…",
    "say whom to ask about: among=...",
)
UNKNOWN_ACTION = Text(
    "records.action",
    "没有动作 `{action}`",
    "there is no action `{action}`",
    "可用：{known}",
    "known: {known}",
)
UNKNOWN_TYPE = Text(
    "records.type",
    "策略没有记录类型 `{type}`",
    "the policy has no record type `{type}`",
    "可用：{known}",
    "known: {known}",
)


@dataclass(frozen=True, slots=True)
class Reachable:
    """Records that may be reached by an action; with a pack, so that a field is seen, in clear or
    masked. `named` is (action, field, clear)."""

    named: tuple[str, str, bool]
    scope: Scope


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a policy reads it: its attributes (`type` among them), and the text that
    stands for it where the policy compares the record itself."""

    attributes: Mapping[str, Value]
    text: Value


class Explained(Protocol):
    """A decision with what made it, for the policy's author."""

    @property
    def decision(self) -> Decision: ...

    def render(self, lang: Lang = "en") -> str: ...


class Reading(Protocol):
    """A policy, asked about records of registered types. `who` is the application's own object."""

    @property
    def version(self) -> str: ...

    def actions(self) -> tuple[str, ...]:
        """Every action that the policy names."""
        ...

    def spec(self, kind: str) -> ResourceSpec | None:
        """The catalogue of a record type; None where the policy has none. Raises PolicyError for a
        type that the policy does not know."""
        ...

    def subjects(self) -> tuple[str, ...]:
        """Everyone whom the policy names; raises InputError where it names roles only."""
        ...

    def reachable(
        self, who: Any, rows: Rows, context: Mapping[str, Any]
    ) -> Iterator[Reachable]: ...

    def scope(self, who: Any, action: str, rows: Rows, context: Mapping[str, Any]) -> Scope: ...

    def decide(
        self, who: Any, action: str, record: Record, context: Mapping[str, Any]
    ) -> Decision: ...

    def explain(
        self, who: Any, action: str, record: Record, context: Mapping[str, Any]
    ) -> Explained: ...


class CasbinReading:
    """A casbin policy: `r.sub` is who asks, `r.obj` the record, by its attributes or as a text."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self._policy = policy
        index = policy.snapshot.indexes["m"]
        self._fields = index.words.request
        if len(self._fields) < 3:
            raise PolicyError(TOO_FEW.of(fields=", ".join(self._fields)))
        read = {path[1:] for path in names(index.tree) if path[0] == index.words.rtype}
        evaluates = any(call.function == ("eval",) for call in calls(index.tree))
        self._subject_is_text = _is_text(self._fields[0], read, evaluates=False)
        self._record_is_text = _is_text(self._fields[-2], read, evaluates=evaluates)

    @property
    def version(self) -> str:
        return self._policy.version

    def actions(self) -> tuple[str, ...]:
        return self._policy.words(self._fields[-1])

    def subjects(self) -> tuple[str, ...]:
        if not self._subject_is_text:
            raise InputError(NO_SUBJECTS.of())
        return self._policy.words(self._fields[0])

    def reachable(self, who: Any, rows: Rows, context: Mapping[str, Any]) -> Iterator[Reachable]:
        for action in self.actions():
            yield Reachable((action, "", True), self.scope(who, action, rows, context))

    def spec(self, kind: str) -> ResourceSpec | None:
        return None

    def scope(self, who: Any, action: str, rows: Rows, context: Mapping[str, Any]) -> Scope:
        text = rows.text if self._record_is_text else None
        asked = Rows(rows.kinds, rows.constants, text)
        found = self._policy.scope(*self._request(who, action, asked, context))
        return found if text not in rows.kinds else all_of(Compare(str(text), "!=", None), found)

    def decide(self, who: Any, action: str, record: Record, context: Mapping[str, Any]) -> Decision:
        request = self._request(who, action, self._object(record), context)
        if self._record_is_text and not isinstance(record.text, str):
            return self._policy.snapshot.doubt("the record has no text")
        return self._policy.decide(*request)

    def explain(
        self, who: Any, action: str, record: Record, context: Mapping[str, Any]
    ) -> Explained:
        return self._policy.explain(*self._request(who, action, self._object(record), context))

    def _object(self, record: Record) -> Any:
        return record.text if self._record_is_text else record.attributes

    def _request(
        self, who: Any, action: str, record: Any, context: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        between = self._fields[1:-2]
        if set(between) != set(context):
            message = CONTEXT.of(
                expected=", ".join(between) or "-",
                found=", ".join(context) or "-",
                example=(*between, *context)[0],
            )
            raise InputError(message)
        return (self._subject(who), *(context[name] for name in between), record, action)

    def _subject(self, who: Any) -> Any:
        if not self._subject_is_text or isinstance(who, str):
            return who
        if isinstance(who, Principal):
            return who.account
        raise InputError(NO_NAME.of(found=type(who).__name__))


def _is_text(field: str, read: set[tuple[str, ...]], *, evaluates: bool) -> bool:
    whole = (field,) in read
    if whole and (evaluates or any(path[0] == field and len(path) > 1 for path in read)):
        raise PolicyError(MIXED.of(name=f"r.{field}"))
    return whole


def reachable(decider: PackDecider, kind: str, facts: Facts) -> Iterator[Reachable]:
    """What a pack lets one person reach of a record type, by each action."""
    for action in Action:
        request = _asked(action, kind)
        yield Reachable((action, "", True), decider.scope(request, facts))
        for (name, clear), scope in decider.fields_reached(request, facts).items():
            yield Reachable((action, name, clear), scope)


@dataclass(frozen=True, slots=True)
class PackReading:
    """A pack: relations over the live facts of who asks, and fields with their masks.

    `facts` gives the subject's facts for one of the application's own principals.
    """

    decider: PackDecider
    facts: Callable[[Any], Mapping[str, Value]]

    @property
    def version(self) -> str:
        return self.decider.version

    def actions(self) -> tuple[str, ...]:
        return tuple(str(action) for action in Action)

    def subjects(self) -> tuple[str, ...]:
        raise InputError(NO_SUBJECTS.of())

    def reachable(self, who: Any, rows: Rows, context: Mapping[str, Any]) -> Iterator[Reachable]:
        yield from reachable(self.decider, str(rows.constants["type"]), self._facts(who))

    def spec(self, kind: str) -> ResourceSpec | None:
        known = self.decider.pack.resources
        if kind not in known:
            raise PolicyError(UNKNOWN_TYPE.of(type=kind, known=", ".join(known)))
        return known[kind]

    def scope(self, who: Any, action: str, rows: Rows, context: Mapping[str, Any]) -> Scope:
        return self.decider.scope(_asked(action, str(rows.constants["type"])), self._facts(who))

    def decide(self, who: Any, action: str, record: Record, context: Mapping[str, Any]) -> Decision:
        request = _asked(action, str(record.attributes["type"]))
        return self.decider.judge(request, self._facts(who), record.attributes)

    def explain(
        self, who: Any, action: str, record: Record, context: Mapping[str, Any]
    ) -> Explained:
        request = _asked(action, str(record.attributes["type"]))
        return explain(self.decider, request, Facts(self._facts(who).subject, record.attributes))

    def _facts(self, who: Any) -> Facts:
        given = self.facts(who)
        known = (*self.decider.pack.subject_attributes, "role")
        return Facts({name: given.get(name) for name in known}, None)


def _asked(action: str, kind: str) -> Request:
    try:
        word = Action(action)
    except ValueError:
        known = ", ".join(str(one) for one in Action)
        raise InputError(UNKNOWN_ACTION.of(action=action, known=known)) from None
    return Request("-", word, kind, "-", (), (), None, None, (), 1, None)
