"""A right that is taken away is gone at the next decision, in every process, by every write path.

One process decides over its own engine, which has answered for the session just before; another
one writes. SQLite and PostgreSQL.
"""

import itertools
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from acl_engine.bootstrap import Engine, Keys, Weakened
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import ServerSettings
from acl_engine.cli import cli
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.request import Query
from acl_engine.identity.devices import sign
from acl_engine.identity.totp import Totp, code_at
from acl_engine.policy.pack import load_pack
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.build import build_world
from acl_engine.replay.world.company import NOW
from acl_engine.replay.world.sealing import synthetic_sealing
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database, create_or_upgrade
from tests.asgi import call
from tests.line_world import PARCELS, ROOT

pytest.importorskip("scim2_server")
PACK = load_pack(ROOT / "policies" / "courier" / "after")
WORLD = small_world(ROOT)
TRUTH = Truth(WORLD, PARCELS)
KEYS = Keys.synthetic(WORLD.seed)
LOGIN, DEVICE, PARCEL = "courier-88", "pda-88", "load-1"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ACCOUNT = "urn:acl-engine:scim:schemas:extension:account:1.0:User"


def engine_over(database: Database) -> Engine:
    clock = SteppedClock(NOW.astimezone(UTC))
    return Engine.open(database=database, pack=PACK, clock=clock, keys=KEYS, replay=Weakened())


def decide(pipe: Connection) -> None:
    """The other process: answers whether a token or a capability is good, over one engine for as
    long as the database is the same."""
    key = TRUTH.by_name[PARCEL].waybill_no
    at, database, engine = "", None, None
    while (asked := pipe.recv()) is not None:
        url, token, capability = asked
        if url != at:
            if database is not None:
                database.close()
            at, database = url, Database.open(url)
            engine = engine_over(database)
        assert engine is not None
        try:
            if capability:
                engine.call(token, capability)
            else:
                engine.ask(token, Query("read", "waybill", key=key))
            pipe.send("allowed")
        except AccessDenied as denied:
            last = engine.audit.of_request(denied.request_id)[-1]
            pipe.send(f"denied at {last.line}")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=decide, args=(theirs,), daemon=True)
    process.start()
    yield ours
    ours.send(None)
    process.join(30)


def build(url: str) -> str:
    database = create_or_upgrade(url)
    build_world(database, WORLD, PARCELS, synthetic_sealing(WORLD.seed))
    database.close()
    return url


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("revoked") / "world.db"
    build(f"sqlite:///{file}")
    return file


@pytest.fixture
def on_sqlite(built: Path, tmp_path: Path) -> str:
    shutil.copy(built, tmp_path / "world.db")
    return f"sqlite:///{tmp_path / 'world.db'}"


_numbers = itertools.count()


@pytest.fixture(scope="module")
def postgres_world(postgres_server: Any, postgres_admin: Any) -> str:
    postgres_admin.execute("CREATE DATABASE revoked_world")
    build(postgres_server.get_uri("revoked_world"))
    return "revoked_world"


@pytest.fixture
def on_postgres(postgres_world: str, postgres_server: Any, postgres_admin: Any) -> Iterator[str]:
    name = f"revoked_{next(_numbers)}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_world} STRATEGY file_copy")
    yield postgres_server.get_uri(name)
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Company:
    """This process's side: an engine to log in at, the commands, SCIM over the application."""

    url: str
    elsewhere: Connection
    folder: Path

    def login(self) -> tuple[str, str]:
        """A courier's token, and a capability for one call with it."""
        with Database.open(self.url) as database:
            return self._logged_in(engine_over(database))

    def _logged_in(self, engine: Engine) -> tuple[str, str]:
        key = Ed25519PrivateKey.from_private_bytes(TRUTH.device_key(DEVICE))
        token = engine.login(
            LOGIN,
            TRUTH.password(LOGIN, weak=False),
            totp=code_at(TRUTH.totp(LOGIN), int(NOW.timestamp())),
            device=sign(key, DEVICE, engine.challenge(DEVICE)),
        )
        waybill = TRUTH.by_name[PARCEL].waybill_no
        return token, engine.dial(token, Query("dial", "waybill", key=waybill)).token

    def there(self, token: str, capability: str = "") -> str:
        self.elsewhere.send((self.url, token, capability))
        return str(self.elsewhere.recv())

    def run(self, *words: str, typed: str = "", by: str = "acct-admin-01") -> str:
        more = ["--by", by] if by else []
        done = CliRunner().invoke(
            cli, [*words, *more, "--database", self.url], input=typed, catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.output

    def scim(self, method: str, path: str, body: Any = None) -> None:
        from acl_engine.web import scim
        from acl_engine.web.app import Area, compose

        token = self.run("account", "issue-token", "svc-hr", "--purpose", "scim").split()[-1]
        unused: Any = None
        database, clock = Database.open(self.url), SteppedClock(NOW.astimezone(UTC))
        service = Service(
            settings=ServerSettings(),
            database=database,
            pack=PACK,
            clock=clock,
            keys=KEYS,
            engine=unused,
            central=unused,
            synthetic=True,
        )
        app = compose([Area("scim", scim.routes(service))], service)
        if method == "PUT":
            headers = [("authorization", f"Bearer {token}")]
            body = call(app, f"/scim/v2{path}", headers=headers).json() | body
        raw = json.dumps(body).encode() if body else b""
        headers = [("authorization", f"Bearer {token}")]
        answer = call(app, f"/scim/v2{path}", method=method, headers=headers, body=raw)
        assert answer.status in (200, 204), answer.text
        database.close()

    def sql(self, statement: str) -> None:
        with Database.open(self.url) as database, database.write() as cx:
            cx.execute(text(statement))


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": list(operations),
    }


def import_hr(company: Company) -> None:
    file = company.folder / "hr.csv"
    file.write_text(
        "person,name,unit,superior,role,login,status\n"
        f"p-{LOGIN},x,ba-shajing,p-sup-0427,courier,{LOGIN},active\n"
    )
    shown = company.run("account", "import-hr", str(file))
    company.run("account", "import-hr", str(file), "--apply", shown.split()[-1])


def new_code(company: Company) -> None:
    seed = Totp.new_seed()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Totp, "new_seed", staticmethod(lambda: seed))
        code = code_at(seed, int(NOW.timestamp()))
        company.run("account", "enrol-totp", LOGIN, typed=f"{code}\n", by="")


def new_password(company: Company) -> None:
    typed = "five loud geese fly\n" * 2
    company.run("account", "set-password", LOGIN, typed=typed, by="")


def lapse_and_sweep(company: Company) -> None:
    company.sql(f"UPDATE persons SET trained_at = 1 WHERE id = 'p-{LOGIN}'")
    company.run("account", "sweep")


def detect(company: Company, action: str, count: int, **values: object) -> None:
    """So many records of the account within the hour, and a watch that reacts to them."""
    first = AuditEntry(
        kind="event", request="r", at=int(NOW.timestamp() * 1000), action=action,
        resource="waybill", account=LOGIN, person=f"p-{LOGIN}", role="courier", unit="ba-xixiang",
        device=DEVICE, session=None, effect="allow", line="login",
    )  # fmt: skip
    with Database.open(company.url) as database:
        audit = engine_over(database).audit
        for number in range(count):
            audit.append(replace(first, request=f"r{number}", **values))  # type: ignore[arg-type]
            values = {**values, "device": f"other-{number}"} if action == "login" else values

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("acl_engine.cli.audit_detect.time.sleep", interrupted)
        company.run("audit", "detect", "--follow", "--react", by="auditor-01")


OFF = {"op": "replace", "path": "active", "value": False}
BULK = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
    "Operations": [{"method": "PATCH", "path": f"/Users/{LOGIN}", "data": patch(OFF)}],
}
OUT = patch({"op": "remove", "path": f'members[value eq "{LOGIN}"]'})
MOVED = {ENTERPRISE: {"department": "ba-shajing"}}
DESK = "dev-admin-01"
PATHS: dict[str, Callable[[Company], object]] = {
    "cli suspend": lambda c: c.run("account", "suspend", LOGIN),
    "cli leave": lambda c: c.run("account", "leave", f"p-{LOGIN}"),
    "cli role": lambda c: c.run("account", "move", LOGIN, "--role", "cs_agent"),
    "cli branch": lambda c: c.run("account", "move", LOGIN, "--area", "ba-shajing"),
    "cli superior": lambda c: c.run("account", "move", LOGIN, "--superior", "p-hq-ops-01"),
    "password reset": new_password,
    "second factor": new_code,
    "sweep": lapse_and_sweep,
    "scanner lost": lambda c: c.run("device", "revoke", DEVICE, "--lost", by=DESK),
    "scanner to another": lambda c: c.run("device", "bind", DEVICE, "--person", "p-cs-12", by=DESK),
    "lease cut": lambda c: c.run("device", "lease", DEVICE, "--until", "2026-03-01", by=DESK),
    "bulk file": import_hr,
    "detection freezes": lambda c: detect(c, "login", 3),
    "detection holds": lambda c: detect(c, "read", 10, kind="intent", on_shift=False),
    "scim put": lambda c: c.scim("PUT", f"/Users/{LOGIN}", MOVED),
    "scim patch with path": lambda c: c.scim("PATCH", f"/Users/{LOGIN}", patch(OFF)),
    "scim patch without path": lambda c: c.scim(
        "PATCH", f"/Users/{LOGIN}", patch({"op": "replace", "value": {"active": False}})
    ),
    "scim delete": lambda c: c.scim("DELETE", f"/Users/{LOGIN}"),
    "scim post of a bulk": lambda c: c.scim("POST", "/Bulk", BULK),
    "scim group": lambda c: c.scim("PATCH", "/Groups/role.courier", OUT),
    "sql role": lambda c: c.sql(f"UPDATE accounts SET role = 'claims' WHERE login = '{LOGIN}'"),
    "sql branch": lambda c: c.sql(
        f"UPDATE accounts SET unit = 'ba-shajing' WHERE login = '{LOGIN}'"
    ),
    "sql person": lambda c: c.sql(f"UPDATE persons SET status = 'left' WHERE id = 'p-{LOGIN}'"),
}


@pytest.mark.parametrize(
    "database", ["on_sqlite", pytest.param("on_postgres", marks=pytest.mark.postgres)]
)
@pytest.mark.parametrize("path", PATHS)
def test_the_next_decision_in_the_other_process_is_without_it(
    request: pytest.FixtureRequest, elsewhere: Connection, tmp_path: Path, path: str, database: str
) -> None:
    """The open session, and the dial capability that was given in it."""
    company = Company(request.getfixturevalue(database), elsewhere, tmp_path)
    token, capability = company.login()
    assert company.there(token) == "allowed"
    PATHS[path](company)
    assert company.there(token) == "denied at 0"
    assert company.there(token, capability) == "denied at 0"
