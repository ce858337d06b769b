"""The desk that every act on the directory goes over: who may, on record first, then done.

INVARIANTS
- The audit record is durable before the change; when the change fails, a second record says so.
- Only an account in force with an administrator's role acts, and never on its own person. While no
  administrator is in force, whoever holds the database and its master key makes one: the first, or
  the next after all have lapsed. That is loud: an alarm, and a record that a rule watches for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from acl_engine.audit import record
from acl_engine.bootstrap.alarms import log_alarm
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.bootstrap.master_key import keys_of
from acl_engine.bootstrap.policies import require_loaded
from acl_engine.bootstrap.world_clock import desk_clock
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import Account
from acl_engine.domain.cas import ServiceRegistry
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import AclError, ChangeRefused
from acl_engine.domain.organisation import Organisation
from acl_engine.domain.pack import Pack
from acl_engine.domain.ports import Clock
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.service_tokens import ServiceTokenStore
from acl_engine.domain.staff import StaffDirectory
from acl_engine.domain.staff_plan import StaffPlans
from acl_engine.domain.text import Message, Text
from acl_engine.identity import standing
from acl_engine.identity.responsibility import CONTROL, refusal_of_maker
from acl_engine.identity.standing import LAPSES, Rules
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.storage.database import Database, is_synthetic
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.organisation import SqlOrganisation
from acl_engine.storage.service_tokens import SqlServiceTokens
from acl_engine.storage.staff import SqlStaffDirectory

NOT_ADMINISTRATOR = Text(
    "administration-not-allowed",
    "账号 `{by}` 不是有效的管理员（需要角色 {roles}）",
    "account `{by}` is no active administrator (it needs the role {roles})",
    "由管理员操作",
    "have an administrator do it",
)
NOBODY_IN_FORCE = Text(
    "administration-nobody-in-force",
    "没有有效的管理员：`{by}` 直接在数据库上执行了 `{action}`",
    "no administrator is in force: `{by}` does `{action}` on the database itself",
    "核对是谁、为什么",
    "find out who it was, and why",
)
# The record of an act that no administrator in force stands behind; its reason names the act.
ALONE = "account.without-administrator"


@dataclass(frozen=True, slots=True)
class Act:
    """What an administrator does: `account.move`, of whom, by which login. Subjects are digested
    in the record; `reason` is a code, `digest` that of a file, a plan or an alert, which rests on
    the records of `evidence`."""

    action: str
    subjects: tuple[str, ...]
    by: str
    reason: str = ""
    digest: str = ""
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """`account` reads one account as login does; `audit` makes a record durable."""

    directory: StaffDirectory
    audit: Callable[[AuditEntry], object]
    clock: Clock
    keys: Keys
    rules: Rules
    account: Callable[[str], Account | None]
    tokens: ServiceTokenStore
    plans: StaffPlans
    organisation: Organisation
    services: ServiceRegistry
    close: Callable[[], None] = lambda: None
    synthetic: bool = False

    @classmethod
    def open(cls, url: str, pack: Pack) -> "Desk":
        """Open a database under a pack's rules. Its keys and its clock are the environment's, or
        a synthetic world's own. Raises StoreError, ConfigError."""
        database = Database.open(url)
        try:
            clock = desk_clock(database)
            keys = keys_of(database)
            if not is_synthetic(database):
                pack = require_loaded(database, pack)
            desk = cls.over(database, keys, clock, Rules.of(pack))
            return replace(desk, synthetic=isinstance(clock, SteppedClock))
        except BaseException:
            database.close()
            raise

    @classmethod
    def over(cls, database: Database, keys: Keys, clock: Clock, rules: Rules) -> "Desk":
        """The desk over an open database, which it closes."""
        audit = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        store = SqlIdentityStore(database)
        directory = SqlStaffDirectory(database)
        return cls(
            directory=directory,
            audit=audit.append,
            clock=clock,
            keys=keys,
            rules=rules,
            account=store.account,
            tokens=SqlServiceTokens(database),
            plans=directory,
            organisation=SqlOrganisation(database),
            services=SqlServiceRegistry(database),
            close=database.close,
        )

    def now(self) -> int:
        """Epoch seconds UTC."""
        return int(self.clock.now().timestamp())

    def permit(self, act: "Act", roles: Sequence[str], person: str | None) -> None:
        """Raise ChangeRefused, on record, unless `act.by` may do this to something of `person`."""
        maker = self.account(act.by)
        alone = not (maker is not None and maker.role in roles and maker.active)
        if maker is not None and not alone:
            if lapsed := self.rules.lapses(maker, self.now()):
                self.refuse(act, LAPSES[lapsed[0]].of(login=act.by), standing.CONTROL)
        elif self.in_force(roles):
            words = {"by": act.by, "roles": " / ".join(roles)}
            self.refuse(act, NOT_ADMINISTRATOR.of(**words))
        self.independent(act, person)
        if alone:
            self.note(replace(act, action=ALONE, reason=act.action.rpartition(".")[2]))
            log_alarm(NOBODY_IN_FORCE.of(by=act.by, action=act.action))

    def independent(self, act: "Act", person: str | None) -> None:
        """Raise ChangeRefused, on record, where `act.by` acts on their own person, or on whoever
        made them."""
        maker = self.account(act.by)
        own = maker.person if maker else None
        makers = self.directory.makers(act.by)
        if refusal := refusal_of_maker(self.rules, person, act.by, own, makers):
            self.refuse(act, refusal)

    def in_force(self, roles: Sequence[str]) -> tuple[str, ...]:
        """The logins of those who hold one of these roles, and are in force now."""
        found: list[str] = []
        for one in self.directory.holders(roles):
            account = self.account(one.login)
            if account and account.active and not self.rules.lapses(account, self.now()):
                found.append(one.login)
        return tuple(found)

    def refuse(self, act: "Act", message: Message, control: str = CONTROL) -> NoReturn:
        """Write the refusal down and raise it."""
        refusal = Refusal("login", (control,), None, message.code)
        denied = replace(self._entry(act), effect="deny", controls=refusal.controls)
        self.audit(replace(denied, reason=refusal.code))
        raise ChangeRefused(message, refusal)

    def note(self, act: "Act") -> None:
        """Write one part of a larger act down; the larger act's own record follows."""
        self.audit(self._entry(act))

    def do(self, act: "Act", change: Callable[[int], None]) -> None:
        """Write the act down, then do it. `change` gets the time."""
        self.carry_out(self._entry(act), change)

    def carry_out(self, entry: AuditEntry, change: Callable[[int], None]) -> None:
        """`do`, with a record of the caller's own; a second one says that it failed."""
        self.audit(entry)
        try:
            change(entry.at // 1000)
        except AclError as error:
            self.audit(replace(entry, effect="error", reason=error.message.code))
            raise

    def _entry(self, act: "Act") -> AuditEntry:
        pseudonyms = KeyedPseudonyms(self.keys.pseudonym)
        kind = act.action.partition(".")[0]
        return AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self.now() * 1000,
            action=act.action,
            resource=kind,
            account=act.by,
            effect="allow",
            line="login",
            reason=act.reason,
            subjects=tuple(pseudonyms.digest(kind, one) for one in act.subjects),
            count=len(act.subjects),
            digest=act.digest,
            evidence=act.evidence,
        )
