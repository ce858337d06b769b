"""The Engine of an application: one policy over its own mapped classes, people and sessions.

    engine = Engine(policy, {"parcel": Parcel})
    select(Parcel).where(engine.where(user, "read", Parcel))     # which rows
    engine.require(user, "read", parcel)                         # this row, or AccessDenied
    engine.explain(user, "read", parcel).render("zh")            # why, for the policy's author

None of the company's own tables is needed: records are the application's classes, who asks is the
application's own object (a text, a mapping, anything with attributes, or a `Principal`), and a
token is resolved by the application's own single sign-on through the `Sessions` port.

INVARIANTS
- `where` selects exactly the records for which `decide` allows; a condition that SQL cannot say is
  refused, never widened.
- `require` raises. A denial tells the caller nothing but a request id, whatever the reason.
- With an `audit` port, a right is used only after the record of it is durable.
- Every call is answered by one version of the policy; `swap` is one assignment.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from acl_engine.analysis.reach import Reach, reached
from acl_engine.bootstrap.embedded_use import Use
from acl_engine.bootstrap.registered import Page, Registered, Registry, Resource
from acl_engine.decision.compiled import CompiledPolicy
from acl_engine.decision.over_records import CasbinReading, Explained, PackReading, Reading
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.decision.questions import whole_page
from acl_engine.domain.accounts import LEGACY
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import AccessDenied, ConfigError, InputError, SessionDead
from acl_engine.domain.facts import Value
from acl_engine.domain.pack import Pack
from acl_engine.domain.ports import AuditLog, Sessions
from acl_engine.domain.principal import Principal
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.scope import NOTHING, Scope
from acl_engine.domain.text import Text
from acl_engine.masking.record import shown
from acl_engine.storage.mapped_rows import RowFilter

NO_SESSIONS = Text(
    "embedding.no-sessions",
    "Engine 没有 sessions，无法由令牌得知是谁",
    "this Engine has no sessions, so it cannot tell who a token is",
    "Engine(..., sessions=…)：实现 resolve(token) -> Principal",
    "Engine(..., sessions=...): anything with resolve(token) -> Principal",
)
NOT_A_POLICY = Text(
    "embedding.policy",
    "`{found}` 不是策略",
    "`{found}` is not a policy",
    "给出 CompiledPolicy.from_files(...) 或 load_pack(...)",
    "give CompiledPolicy.from_files(...) or load_pack(...)",
)
NO_CATALOGUE = Text(
    "embedding.no-catalogue",
    "casbin 策略不含字段目录，无法脱敏",
    "a casbin policy has no catalogue of fields, so nothing can be masked",
    "用策略目录（pack）代替，其 resources.yaml 列出字段",
    "use a pack: its resources.yaml lists the fields",
)


# How many items a page holds unless said otherwise.
PAGE = 1000


class Engine:
    """One policy over an application's own classes. Safe from any thread."""

    def __init__(
        self,
        policy: CompiledPolicy | Pack,
        resources: Mapping[str, Any],
        *,
        facts: Callable[[Any], Mapping[str, Value]] | None = None,
        sessions: Sessions | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        """`resources` maps the policy's type names to mapped classes (or `Resource`s).

        `facts` gives a pack's live facts about who asks; without it they are read from the
        principal's own attributes. Raises PolicyError for a policy that cannot be asked about
        records, InputError for a class that is not mapped.
        """
        self._facts = facts
        self._sessions = sessions
        self._audit = audit
        self._registered = Registry(resources)
        self._reading = self._read(policy)

    @property
    def version(self) -> str:
        """The version of the policy that decides now."""
        return self._reading.version

    def swap(self, policy: CompiledPolicy | Pack) -> None:
        """Decide by another policy from now on; one that does not fit changes nothing."""
        self._reading = self._read(policy)

    # --- who ------------------------------------------------------------------------------------

    def principal(self, token: str) -> Principal:
        """The live person behind a token. Raises AccessDenied for anything in doubt, and for a
        scanner without a key: what it may show is narrowed by the company's own engine alone."""
        if self._sessions is None:
            raise ConfigError(NO_SESSIONS.of())
        with suppress(SessionDead):
            found = self._sessions.resolve(token)
            if found.device_class != LEGACY:
                return found
        raise AccessDenied(new_request_id())

    # --- may they -------------------------------------------------------------------------------

    def where(self, who: Any, action: str, model: Any, **context: Any) -> RowFilter:
        """The condition for `select(model).where(...)`: the records on which `who` may do `action`.

        `context` holds the further fields of the model's request (a domain). Raises PolicyError or
        StoreError for a condition that SQL cannot say exactly.
        """
        one, reading = self._registered.of(model), self._reading
        scope = reading.scope(who, action, one.rows, context)
        found = one.mapped.condition(scope)
        self._write_down(Use(who, action, one.type, scope != NOTHING, reading.version))
        return found

    def decide(self, who: Any, action: str, record: Any, **context: Any) -> Decision:
        """Allow or deny for one record, with the rule and the reason. Writes nothing down."""
        one = self._registered.of(type(record))
        return self._reading.decide(who, action, one.record(record), context)

    def require(self, who: Any, action: str, record: Any, **context: Any) -> Decision:
        """The decision, if it allows. Raises AccessDenied, the same for every reason."""
        one, reading = self._registered.of(type(record)), self._reading
        decision = reading.decide(who, action, one.record(record), context)
        use = Use(who, action, one.type, decision.allowed, reading.version, decision)
        request = self._write_down(use)
        if not decision.allowed:
            raise AccessDenied(request)
        return decision

    def explain(self, who: Any, action: str, record: Any, **context: Any) -> Explained:
        """Why, in words. For the policy's author alone: it names facts."""
        one = self._registered.of(type(record))
        return self._reading.explain(who, action, one.record(record), context)

    def view(self, who: Any, action: str, record: Any, **context: Any) -> Mapping[str, str]:
        """What of one record is shown, field by field, masked as the pack says.

        Raises AccessDenied, and ConfigError for a casbin policy: it has no catalogue of fields.
        """
        one = self._registered.of(type(record))
        spec = self._reading.spec(one.type)
        if spec is None:
            raise ConfigError(NO_CATALOGUE.of())
        decision = self.require(who, action, record, **context)
        values = one.mapped.texts(record, decision.grants)
        return shown(one.mapped.attributes(record), values, decision, spec)

    # --- who may, what may be reached -----------------------------------------------------------

    def subjects_for(
        self,
        action: str,
        record: Any,
        among: Sequence[Any] | None = None,
        *,
        after: int = 0,
        limit: int = PAGE,
        **context: Any,
    ) -> Page:
        """Who of `among` may do `action` on the record, in their order; a page from `after` on.

        Without `among`, everyone whom a casbin policy names. Complete: read on with
        `after=page.next` until it is None. Raises InputError for a `limit` below 1.
        """
        whole_page("limit", limit)
        whole_page("after", after, least=0)
        one, reading = self._registered.of(type(record)), self._reading
        people = reading.subjects() if among is None else among
        found = one.record(record)
        items: list[Any] = []
        for at in range(after, len(people)):
            if reading.decide(people[at], action, found, context).allowed:
                if len(items) == limit:
                    return Page(tuple(items), at)
                items.append(people[at])
        return Page(tuple(items), None)

    def resources_for(
        self,
        session: Any,
        who: Any,
        action: str,
        model: Any,
        *,
        after: Any = None,
        limit: int = PAGE,
        **context: Any,
    ) -> Page:
        """The primary keys of the records on which `who` may do `action`, in order, paged.

        Raises InputError for a `limit` below 1."""
        whole_page("limit", limit)
        one = self._registered.of(model)
        where = one.mapped.condition(self._reading.scope(who, action, one.rows, context))
        keys = one.mapped.page(session, where, after, limit + 1)
        return Page(tuple(keys[:limit]), keys[limit - 1] if len(keys) > limit else None)

    def actions_for(self, who: Any, record: Any, **context: Any) -> tuple[str, ...]:
        """Every action that `who` may do on the record."""
        one, reading = self._registered.of(type(record)), self._reading
        found = one.record(record)
        return tuple(
            action
            for action in reading.actions()
            if reading.decide(who, action, found, context).allowed
        )

    def blast_radius(self, session: Any, who: Any, **context: Any) -> tuple[Reach, ...]:
        """How many records, and how many people, `who` can reach now: by type and action and, with
        a pack, by field. What is out of reach is left out."""
        reading = self._reading
        return tuple(
            reach
            for one in self._registered
            for reach in reached(
                one.type,
                reading.reachable(who, one.rows, context),
                partial(_counts, one, session),
            )
        )

    # --- inside ---------------------------------------------------------------------------------

    def _read(self, policy: Any) -> Reading:
        if isinstance(policy, CompiledPolicy):
            reading: Reading = CasbinReading(policy)
        elif isinstance(policy, Pack):
            known = (*policy.subject_attributes, "role")
            reading = PackReading(PackDecider(policy), self._facts or partial(_own_facts, known))
        else:
            raise InputError(NOT_A_POLICY.of(found=type(policy).__name__))
        for one in self._registered:
            reading.spec(one.type)  # refuses a type that the policy does not know
        return reading

    def _write_down(self, use: Use) -> str:
        """A record of the use of a right, if there is an audit log; its request id."""
        request = new_request_id()
        if self._audit is not None:
            self._audit.append(use.entry(request))
        return request


def _counts(
    one: Registered, session: Any, field: str, scope: Scope
) -> tuple[int, Mapping[str, int]]:
    """The application says whose a record is, not whose each field of it is."""
    return one.counts(session, scope)


def _own_facts(known: tuple[str, ...], who: Any) -> Mapping[str, Value]:
    """A principal's own attributes as facts; a proven device is a bound one."""
    if isinstance(who, Mapping):
        return who
    found: dict[str, Value] = {name: getattr(who, name, None) for name in known}
    if isinstance(who, Principal):
        found["device_bound"] = who.device is not None
    return found


__all__ = ["Engine", "Page", "Reach", "Resource"]
