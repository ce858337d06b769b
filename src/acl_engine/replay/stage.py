"""The stage of one run: a copy of the world, an engine over it, and what the cast holds open.

INVARIANTS
- Every run starts from the same bytes and touches nothing outside of its copy.
- What came of a request is what the engine returned; where and why it stopped stands in the audit
  log alone, and is read there.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.lesser_log import as_kept
from acl_engine.bootstrap.provider import Switchboard
from acl_engine.decision import PackDecider
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AclError, ChangeRefused, InputError, ScenarioError
from acl_engine.domain.pack import Pack
from acl_engine.domain.request import Action, Query
from acl_engine.domain.text import Text
from acl_engine.identity.devices import sign
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.standing import Rules
from acl_engine.identity.totp import code_at
from acl_engine.replay.asking import Held, Watch, ask, refused
from acl_engine.replay.child import Doom, in_child
from acl_engine.replay.inquest import Left
from acl_engine.replay.outcome import Outcome, named
from acl_engine.replay.transport import Asked, Replied, Serve, Site, Transport
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.staff import Staff
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.payload import phone_index
from acl_engine.storage.unsafe import copy_on_disk, fill_disk, start_audit

NOBODY = Text(
    "scenario.no-account",
    "世界里没有账号 `{login}`",
    "the world has no account `{login}`",
    "见 seeds/courier/company.yaml 的 cast",
    "see the cast in seeds/courier/company.yaml",
)
NO_TRANSPORT = Text(
    "scenario.no-transport",
    "`http` 步骤需要 Web 服务：请安装 `server` 附加组件",
    "an `http` step needs the web service: install the extra `server`",
)


class NoTransport(ScenarioError):
    """The run has no way to send a raw request: the scenario is skipped, never blocked."""


@dataclass
class Stage:
    """One world, one pack, one clock. `doom` and `lock` are the faults that hold at the moment,
    `left` is what came to light outside, `papers` the first recovery code of each account."""

    site: Site
    clock: SteppedClock
    truth: Truth
    weak: bool
    watch: Watch
    switchboard: Switchboard
    serve: Serve | None = None
    doom: Doom | None = None
    lock: sqlite3.Connection | None = None
    left: Left = field(default_factory=Left)
    papers: dict[str, str] = field(default_factory=dict)
    _capabilities: dict[str, Held] = field(default_factory=dict)
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)
    _transport: Transport | None = None
    _read: int = 0

    @classmethod
    def open(
        cls,
        template: Database,
        pack: Pack,
        truth: Truth,
        *,
        weak: bool,
        off: frozenset[str] = frozenset(),
        at: str | None = None,
        folder: Path | None = None,
        serve: Serve | None = None,
        decider: PackDecider | None = None,
    ) -> "Stage":
        """`folder`: keep the copy there, for faults that need files and processes; `decider`: the
        pack's, if it is there already."""
        file = folder / "stage.db" if folder else None
        database = copy_on_disk(template, file) if file else template.clone_to_memory()
        clock = SteppedClock(datetime.fromisoformat(at) if at else NOW)
        keys = Keys.synthetic(truth.world.seed)
        watch = Watch()
        switchboard, weakened = Switchboard(clock), Weakened(off, watch, decider)
        engine = _engine(database, pack, clock, keys, weakened, switchboard)
        site = Site(engine, database, pack, clock, keys, off)
        return cls(site, clock, truth, weak, watch, switchboard, serve)

    @property
    def engine(self) -> Engine:
        return self.site.engine

    @property
    def database(self) -> Database:
        return self.site.database

    @property
    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock.now().timestamp())

    def close(self) -> None:
        self.mend()
        if self._transport is not None:
            self._transport.close()
        self.database.close()

    def mend(self) -> None:
        """End every fault."""
        self.doom = None
        if self.lock is not None:
            self.lock.close()
            self.lock = None
        start_audit(self.database)

    # --- who and what there is -----------------------------------------------------------------

    def person(self, login: str) -> Staff:
        """The person of an account. Raises ScenarioError."""
        if login not in self.truth.world.staff:
            raise ScenarioError(NOBODY.of(login=login))
        return self.truth.world.staff[login]

    def phone_index(self, phone: str) -> str:
        return phone_index(self.site.keys.index, phone)

    def device_public_key(self, device: str) -> bytes:
        key = Ed25519PrivateKey.from_private_bytes(self.truth.device_key(device))
        return key.public_key().public_bytes_raw()

    def code(self, account: str) -> str:
        """A code from the authenticator. A step gives one login: a person waits for the next."""
        step = self.now // 30
        if self._codes.get(account) == step:
            self.clock.advance(30 - self.now % 30)
            step += 1
        self._codes[account] = step
        return code_at(self.truth.totp(account), self.now)

    def shown_code(self, account: str) -> str:
        """What the authenticator shows now, used or not."""
        return code_at(self.truth.totp(account), self.now)

    def write(self, entry: AuditEntry) -> None:
        """Put a record of earlier days into the log, as this pack has records kept."""
        as_kept(self.engine.audit, self.site.pack.settings.audit, self.database).append(entry)

    def news(self) -> list[AuditEntry]:
        """The log's records since this was last asked."""
        found = list(self.engine.audit.entries(self._read))
        self._read = max((index + 1 for index, _ in found), default=self._read)
        return [entry for _, entry in found]

    # --- requests ------------------------------------------------------------------------------

    def login(
        self,
        account: str,
        password: str,
        *,
        totp: bool,
        device: str | None,
        fresh: bool = False,
        typed: str | None = None,
    ) -> Outcome:
        """Log in and keep the token. One of the same account and device is used again unless
        `fresh`. `typed`: this code and no other; with `totp` one of the authenticator."""
        if (account, device) in self._tokens and not fresh:
            return Outcome(True, "login", named=True)
        self._tokens.pop((account, device), None)
        proof = self._proof(device) if device else None
        code = self.code(account) if totp else typed

        def enter(engine: Engine) -> Outcome:
            token = engine.login(account, password, totp=code, device=proof)
            return Outcome(True, "login", token=token, named=True)

        self.watch("login")
        disk = self.doom is not None and self.doom.disk
        entered = self._elsewhere(enter) if disk else self._tried(self.engine, enter)
        if entered.allowed:
            self._tokens[account, device] = entered.token
        return entered

    def ask(self, account: str, device: str | None, query: Query) -> Outcome:
        """One look, act or dial with the token of an earlier login."""
        token = self._tokens.get((account, device), "no-session")
        held = self._capabilities.get(account, Held())

        def asked(engine: Engine) -> Outcome:
            return ask(engine, token, query, held)

        came = self._tried(self.engine, asked) if self.doom is None else self._elsewhere(asked)
        if query.action == Action.DIAL and came.allowed:
            self._capabilities[account] = Held(came.token, query.key or "")
        return came

    def work(self, account: str, query: Query) -> Outcome:
        """An honest person's request, on their own device with their own secrets."""
        device = self.person(account).member.device
        password = self.truth.password(account, weak=self.weak)
        entered = self.login(account, password, totp=True, device=device)
        return self.ask(account, device, query) if entered.allowed else entered

    def administer(self, act: Callable[[Administration], None]) -> Outcome:
        """An act at the administrators' desk, over this run's copy and clock."""
        rules = Rules.of(self.site.pack)
        desk = Desk.over(self.database, self.site.keys, self.clock, rules)
        start = self._read
        try:
            act(Administration(desk, Passwords.rehearsal()))
        except InputError as refused:
            entries = [entry for _, entry in self.engine.audit.entries(start)]
            code = refused.message.code
            controls = refused.refusal.controls if isinstance(refused, ChangeRefused) else ()
            return Outcome(False, "admin", controls, reason=code, named=named(entries))
        return Outcome(True, "admin", named=True)

    def send(self, asked: Asked) -> tuple[Replied, list[AuditEntry]]:
        """A raw request, and what the log says of it. Raises NoTransport."""
        if self._transport is None:
            if self.serve is None:
                raise NoTransport(NO_TRANSPORT.of())
            self._transport = self.serve(self.site)
        start = self._read
        reply = self._transport.send(asked)
        return reply, [entry for _, entry in self.engine.audit.entries(start)]

    # --- inside --------------------------------------------------------------------------------

    def _elsewhere(self, work: Callable[[Engine], Outcome]) -> Outcome:
        """In a process of its own, to which the fault of the moment happens."""
        doom, site = self.doom or Doom(), self.site
        if doom.kill_at is not None:
            self.doom = None  # one process dies once
        url = f"sqlite:///{site.database.path}"
        site.database.close()

        def inside(watch: Callable[[str], None]) -> Outcome:
            def reached(line: str) -> None:
                self.watch(line)
                watch(line)

            database = Database.open(url)
            if doom.disk:
                fill_disk(database)
            weakened = Weakened(site.off, reached)
            clock, provider = self.clock, self.switchboard
            engine = _engine(database, site.pack, clock, site.keys, weakened, provider)
            return self._tried(engine, work)

        return in_child(inside, doom)

    def _tried(self, engine: Engine, work: Callable[[Engine], Outcome]) -> Outcome:
        try:
            return work(engine)
        except AclError as error:
            return refused(engine, error, self.watch)

    def _proof(self, device: str) -> DeviceProof:
        nonce = self.engine.challenge(device)
        # An old scanner holds no key: whoever uses it reaches the adapter that signs for it.
        known = SqlIdentityStore(self.database).device(device)
        signer = known.adapter if known and known.adapter else device
        key = Ed25519PrivateKey.from_private_bytes(self.truth.device_key(signer))
        return sign(key, device, nonce)


def _engine(
    database: Database,
    pack: Pack,
    clock: SteppedClock,
    keys: Keys,
    replay: Weakened,
    provider: Switchboard,
) -> Engine:
    return Engine.open(
        database=database, pack=pack, clock=clock, keys=keys, replay=replay, provider=provider
    )
