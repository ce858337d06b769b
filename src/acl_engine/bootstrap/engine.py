"""The Engine: ports wired to adapters, and the few doors that an application calls.

INVARIANTS
- A pack marked `replay_only`, and anything that switches a control off, opens only a database
  with the mark of a synthetic world.
- The record store is opened here and handed to the lookup line alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from acl_engine.audit import record
from acl_engine.bootstrap.alarms import log_alarm
from acl_engine.bootstrap.approving import Approving
from acl_engine.bootstrap.budget_freezes import BudgetFreezes
from acl_engine.bootstrap.callers import Callers
from acl_engine.bootstrap.coming_in import ComingIn
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.judicial import Judicial
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys, LocalKeyService
from acl_engine.bootstrap.lesser_log import as_kept
from acl_engine.bootstrap.policies import require_loaded
from acl_engine.bootstrap.provider import Controlled, NoProvider, Switchboard
from acl_engine.bootstrap.releasing import Releasing
from acl_engine.decision import PackDecider
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.budgets import Reservation
from acl_engine.domain.calls import Capability
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.pack import Pack
from acl_engine.domain.parts import Part, nothing
from acl_engine.domain.ports import Budgets, Clock, DialProvider
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Query
from acl_engine.domain.text import Message, Text
from acl_engine.domain.view import Answer
from acl_engine.enforcement.acts import Acted, act
from acl_engine.enforcement.dial import CallOutcome, call, dial
from acl_engine.enforcement.door import Door
from acl_engine.enforcement.hanging_up import calls_back, hang_up
from acl_engine.enforcement.lookup import lookup
from acl_engine.enforcement.narrowed import narrow
from acl_engine.enforcement.permits import permits
from acl_engine.identity.fresh import FreshFactors
from acl_engine.identity.login import Logins
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.sessions import StoredSessions
from acl_engine.identity.standing import Rules
from acl_engine.identity.throttle import Throttle
from acl_engine.identity.totp import Totp
from acl_engine.identity.visits import Visits
from acl_engine.storage.acts import ActStore
from acl_engine.storage.approvals import ApprovalStore
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.budgets import BudgetStore
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.database import Database, is_synthetic, require_synthetic
from acl_engine.storage.dials import DialStore
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.factors import SqlFactors
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.judicial import DisclosureStore
from acl_engine.storage.payload import phone_index
from acl_engine.storage.planted import PlantedMarkStore
from acl_engine.storage.records import RecordStore
from acl_engine.storage.releasing import ReleaseStore
from acl_engine.storage.vault import Vault

REPLAY_ONLY = Text(
    "engine.replay-only",
    "策略 `{pack}` 仅供回放",
    "the pack `{pack}` is for replay only",
    "请使用 `after` 策略",
    "use the `after` pack",
)


@dataclass(frozen=True, slots=True)
class Weakened:
    """What replay may switch off besides the pack: components that become no-ops.

    `watch` is told each number of the line as it is entered; `decider` is that of the same pack,
    made once for many runs. Passing one requires a synthetic world, whatever it holds.
    """

    off: frozenset[str] = field(default=frozenset())
    watch: Callable[[str], None] = lambda line: None
    decider: PackDecider | None = None


class Engine:
    """One engine over one database and one pack. Thread-safe; close the database when done."""

    def __init__(
        self,
        door: Door,
        coming_in: ComingIn,
        sessions: StoredSessions,
        audit: AuditStore,
        planted: PlantedMarkStore,
        disclosures: DisclosureStore,
    ) -> None:
        """Use `open`."""
        self._door = door
        self._coming_in = coming_in
        self._sessions = sessions
        self.audit = audit
        self._planted = planted
        self._disclosures = disclosures
        if isinstance(door.provider, Controlled):
            door.provider.controlled_by(self.calls_back)

    @classmethod
    def open(
        cls,
        *,
        database: Database,
        pack: Pack,
        clock: Clock,
        keys: Keys,
        provider: DialProvider | None = None,
        alarm: Callable[[Message], None] = log_alarm,
        replay: Weakened | None = None,
    ) -> "Engine":
        """Wire everything. `alarm` hears at once what must not pass unseen.

        Raises ConfigError for a weak pack or a switched-off control outside of a synthetic world,
        and there for a pack that `policies.open_policy` did not load.
        """
        if replay is not None:
            require_synthetic(database)
        elif pack.settings.replay_only:
            raise ConfigError(REPLAY_ONLY.of(pack=pack.folder))
        elif not is_synthetic(database):
            pack = require_loaded(database, pack)
        off = replay.off if replay else frozenset[str]()
        store = SqlIdentityStore(database)
        settings, types = pack.settings, stored_types(pack)
        windows = settings.approvals is None or settings.approvals.runs_out
        vault = Vault(LocalKeyService(keys.wrapping))
        rules = Rules.of(pack)
        sessions = StoredSessions(store, settings.login, clock, rules)
        audit = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        desk, factors = Desk.over(database, keys, clock, rules), SqlFactors(database)
        freeze = BudgetFreezes(desk, factors, alarm)
        budgets: Budgets = BudgetStore(
            database, settings.budgets, clock, groups=pack.groups, freeze=freeze
        )
        passwords = Passwords.rehearsal() if replay else Passwords.production()
        door = Door(
            pack=pack,
            clock=clock,
            sessions=Callers(sessions, Visits(keys.visits), clock),
            directory=DirectoryStore(
                database,
                clock,
                types,
                windows=windows,
                fresh_seconds=settings.login.fresh_minutes * 60,
            ),
            decider=(replay.decider if replay else None) or PackDecider(pack),
            budgets=_NoBudgets() if "budgets" in off else budgets,
            audit=as_kept(audit, settings.audit, database),
            records=RecordStore(
                database, keys.index, vault, broad=settings.lookup.broad_search, resources=types
            ),
            pseudonyms=KeyedPseudonyms(keys.pseudonym),
            acts=ActStore(database, vault),
            dials=DialStore(database),
            provider=provider or _provider(database, clock),
            approvals=ApprovalStore(database, vault, windows=windows),
            releases=ReleaseStore(database),
            alarm=alarm,
            index=lambda phone: phone_index(keys.index, phone),
            verified_callers=settings.acts.verified_callers,
            step=replay.watch if replay else lambda line: None,
            marks=settings.audit.marks,
        )
        totp = Totp(keys.totp)
        throttle = Throttle(shared=factors, clock=clock)
        logins = Logins(store, settings.login, clock, passwords, totp, throttle, rules, factors)
        fresh = FreshFactors(store, factors, settings.login, clock, totp, throttle, sessions)
        version = door.decider.version
        coming_in = ComingIn(logins, fresh, sessions, door.audit, clock, version)
        return cls(
            door,
            coming_in,
            sessions,
            audit,
            PlantedMarkStore(database),
            DisclosureStore(database, vault),
        )

    def challenge(self, device: str) -> str:
        """A nonce that the device must sign at login; good once, for two minutes."""
        return self._coming_in.logins.challenge(device)

    @property
    def sessions(self) -> StoredSessions:
        """Who is behind a session, for what hangs on it."""
        return self._sessions

    def adopt_challenge(self, nonce: str, device: str) -> None:
        """A login form's own nonce, used up, stands for a challenge to the device that answered."""
        self._coming_in.logins.adopt_challenge(nonce, device)

    def login(
        self,
        login: str,
        password: str,
        *,
        totp: str | None = None,
        device: DeviceProof | None = None,
        replaces: str | None = None,
        token: str | None = None,
    ) -> str:
        """A session token. Raises AccessDenied; the reason is in the audit record of its id.

        `replaces`, `token`: see `Logins.login`.
        """
        return self._coming_in.login(
            login, password, totp=totp, device=device, replaces=replaces, token=token
        )

    def prove(self, token: str, code: str, *, device: DeviceProof | None = None) -> None:
        """Show a second factor anew inside a session: it is fresh for `login.fresh_minutes`, and a
        hold ends. Raises AccessDenied, as `login`."""
        self._coming_in.prove(token, code, device)

    def logout(self, token: str) -> None:
        self._sessions.end(token)

    def ask(self, token: str, query: Query) -> Answer:
        """One look, along the numbered line of `enforcement/lookup.py`."""
        return lookup(self._door, token, query)

    def permits(self, who: Principal, query: Query) -> bool:
        """Whether a query would pass steps 1 to 3: a decision alone, nothing fetched or charged."""
        return permits(self._door, who, query)

    def confined(self, who: Principal) -> bool:
        """Whether this session is on a device without a key: nothing is passed on to those who
        would narrow it themselves (`enforcement.narrowed`)."""
        return narrow(who, self._door.pack.settings.login)

    def act(self, token: str, query: Query) -> Acted:
        """A scan, a reassignment or a ticket, through the same gate."""
        return act(self._door, token, query)

    def dial(self, token: str, query: Query) -> Capability:
        """A capability for one call to a parcel's contact; never a number."""
        return dial(self._door, token, query)

    def call(self, token: str, capability: str) -> CallOutcome:
        """Use a capability up."""
        return call(self._door, token, capability)

    def hang_up(self) -> int:
        """Unbind with the provider what has lost its reason; how many. `acl serve` does it every
        few seconds; an application without it calls this as often. Raises StoreError."""
        return hang_up(self._door)

    def calls_back(self, reference: str) -> bool:
        """Whether who rings the binding of this reference is put through to its person: for a
        provider that asks before it connects. Raises StoreError."""
        return calls_back(self._door, reference)

    @property
    def approvals(self) -> Approving:
        """Asking for a right for minutes, answering, reviewing; see `docs/how-to/approvals.md`."""
        return Approving(self._door)

    @property
    def releases(self) -> Releasing:
        """Exports and publications; see `docs/how-to/releases.md`."""
        return Releasing(self._door, self._planted)

    @property
    def judicial(self) -> Judicial:
        """Judicial requests; see `docs/how-to/judicial.md`."""
        return Judicial(self._door, self._disclosures)

    def subject(self, resource: str, key: str) -> str:
        """The digest under which a record stands in the audit log."""
        return self._door.pseudonyms.digest(resource, key)


def _provider(database: Database, clock: Clock) -> DialProvider:
    return Switchboard(clock) if is_synthetic(database) else NoProvider()


class _NoBudgets:
    """Replay's switched-off budgets."""

    def reserve(self, *_: object, **__: object) -> Part[Any, Reservation]:
        return nothing(Reservation("off", 0, {}, {}))

    def settle(self, reservation: Reservation, *_: object) -> Part[Any, Reservation]:
        return nothing(reservation)

    def release(self, reservation: Reservation) -> Part[Any, Reservation]:
        return nothing(reservation)
