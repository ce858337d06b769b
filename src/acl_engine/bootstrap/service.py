"""What the web room serves: one database, one pack, one engine, opened from settings.

INVARIANTS
- A pack marked `replay_only` is never served.
- A world of real people is served with keys and a certificate that were given, at the real time.
- Ready means: the database answers, has the schema of this program, and is the same file or server.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from acl_engine.bootstrap.central import Central
from acl_engine.bootstrap.clocks import ShiftedClock, SystemClock
from acl_engine.bootstrap.engine import REPLAY_ONLY, Engine, Weakened
from acl_engine.bootstrap.keys import Keys
from acl_engine.bootstrap.lookout import Lookout
from acl_engine.bootstrap.master_key import keys_of
from acl_engine.bootstrap.outbound import HttpsOutbound
from acl_engine.bootstrap.policies import policy_for
from acl_engine.bootstrap.settings import ServerSettings, contradiction
from acl_engine.bootstrap.telephony import provider_of
from acl_engine.bootstrap.tencent_reports import NppReports
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.pack import Pack
from acl_engine.domain.ports import Clock
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database, is_synthetic
from acl_engine.storage.dials import DialStore
from acl_engine.storage.schema import check_version
from acl_engine.storage.watch_marks import WatchMarks

NO_DATABASE = Text(
    "service.no-database",
    "没有给出数据库：设置 `database`",
    "no database was named: the setting `database`",
    "用 --database、ACL_DATABASE 或设置文件给出",
    "name it with --database, ACL_DATABASE or in the settings file",
)


@dataclass(frozen=True, slots=True)
class Service:
    """An opened service. Thread-safe; close it when done."""

    settings: ServerSettings
    database: Database
    pack: Pack
    clock: Clock
    keys: Keys
    engine: Engine
    central: Central
    synthetic: bool
    reports: NppReports | None = None

    @classmethod
    def open(cls, settings: ServerSettings) -> "Service":
        """Open what the settings name. Raises ConfigError, StoreError or PolicyError."""
        if settings.database is None:
            raise ConfigError(NO_DATABASE.of())
        database = Database.open(settings.database)
        try:
            named = (settings.policy, settings.policy_trust, settings.policy_rollback)
            path, trust, rollback = (Path(one) if one else None for one in named)
            pack = policy_for(database, path, trust=trust, rollback=rollback)
            if pack.settings.replay_only:
                raise ConfigError(REPLAY_ONLY.of(pack=pack.folder))
            return cls._over(database, pack, settings)
        except BaseException:
            database.close()
            raise

    @classmethod
    def _over(cls, database: Database, pack: Pack, settings: ServerSettings) -> "Service":
        synthetic = is_synthetic(database)
        clock = _clock(settings, synthetic)
        named = settings.master_key_file
        keys = keys_of(database, Path(named) if named else None)
        telephony = provider_of(
            settings.telephony,
            synthetic=synthetic,
            public_url=settings.serve.public_url,
            keep=DialStore(database).record,
            now=lambda: clock.now().timestamp(),
        )
        engine = Engine.open(
            database=database,
            pack=pack,
            clock=clock,
            keys=keys,
            provider=telephony.provider,
            # Nothing is switched off: invented people have hashes of the cheap parameters.
            replay=Weakened() if synthetic else None,
        )
        outbound = HttpsOutbound(settings.cas.authorities, settings.cas.outbound_seconds)
        central = Central.over(
            database=database,
            pack=pack,
            clock=clock,
            keys=keys,
            engine=engine,
            outbound=outbound,
            form_seconds=settings.cas.form_seconds,
        )
        reports = telephony.reports
        return cls(settings, database, pack, clock, keys, engine, central, synthetic, reports)

    @property
    def lookout(self) -> Lookout:
        """A new one: whether anybody watches this database's log."""
        return Lookout(WatchMarks(self.database), self.settings.watch.silence_seconds)

    @property
    def address(self) -> str:
        """This service as people see it: `serve.public_url`, or where it listens."""
        serve = self.settings.serve
        if serve.public_url:
            return serve.public_url.rstrip("/")
        host = f"[{serve.host}]" if ":" in serve.host else serve.host
        return f"https://{host}:{serve.port}"

    def at_port(self, port: int) -> "Service":
        """The same service, once it is known where it listens: `serve.port` may be any free one."""
        serve = structs.replace(self.settings.serve, port=port)
        return replace(self, settings=structs.replace(self.settings, serve=serve))

    def check(self) -> None:
        """Whether requests can be answered now. Raises StoreError."""
        with self.database.read() as cx:
            check_version(cx, self.database.name)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _clock(settings: ServerSettings, synthetic: bool) -> Clock:
    offset = settings.serve.clock_offset
    if offset and not synthetic:
        raise contradiction("serve.clock_offset: this world is not synthetic")
    return ShiftedClock(offset) if offset else SystemClock()
