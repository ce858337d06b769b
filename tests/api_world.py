"""The lookup API over the small company, called without a socket."""

import base64
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.settings import load
from acl_engine.domain.cas import RegisteredService
from acl_engine.identity.devices import message
from acl_engine.identity.service_tokens import new_token
from acl_engine.identity.standing import Rules
from acl_engine.identity.totp import code_at
from acl_engine.replay.theatre import SEED
from acl_engine.replay.world.company import NOW, device_key, strong_password, totp_secret
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.cas_services import SqlServiceRegistry
from acl_engine.web.app import application
from tests.asgi import Answer, call

ADDRESS = "https://login.example"
DEVICES = {
    "courier-88": "pda-88",
    "courier-89": "pda-89",
    "auditor-01": "pc-21",
    "claims-03": "pc-13",
    "region-01": "pc-17",
    "keeper-07": "pc-31",
    "sup-0413": "pc-22",
}


@dataclass
class Api:
    """One service in this process, at a time that a test moves."""

    service: Service
    truth: Truth
    app: Any
    clock: SteppedClock
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def post(
        self,
        path: str,
        body: Any = None,
        token: str | None = None,
        *,
        raw: bytes | None = None,
        headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),),
    ) -> Answer:
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        bearer = (("authorization", f"Bearer {token}"),) if token else ()
        more = (*headers, *bearer)
        return call(self.app, path, method="POST", headers=more, body=sent)

    def credentials(self, login: str) -> dict[str, Any]:
        """What a person's own scanner sends: password, code, and its signature."""
        self.clock.advance(30)
        device = DEVICES[login]
        challenge = self.post("/v1/challenge", {"device": device}).json()["challenge"]
        key = Ed25519PrivateKey.from_private_bytes(device_key(SEED, device))
        signature = base64.urlsafe_b64encode(key.sign(message(device, challenge))).decode()
        return {
            "login": login,
            "password": strong_password(SEED, login),
            "code": code_at(totp_secret(SEED, login), self.now),
            "device": {"id": device, "challenge": challenge, "signature": signature.rstrip("=")},
        }

    def log_in(self, login: str) -> str:
        answer = self.post("/v1/login", self.credentials(login))
        assert answer.status == 200, answer.text
        return str(answer.json()["token"])

    def token(self, login: str) -> str:
        """One login a person for all tests of a module."""
        if login not in self.tokens:
            self.tokens[login] = self.log_in(login)
        return self.tokens[login]

    def credential(self, purpose: str) -> str:
        """A service's token for a purpose."""
        desk = Desk.over(
            self.service.database, self.service.keys, self.clock, Rules.of(self.service.pack)
        )
        account = desk.account("svc-route")
        assert account is not None
        token, kept = new_token(account, purpose, 1, "acct-admin-01", self.now)
        desk.tokens.add(kept)
        return token

    def key(self, parcel: str) -> str:
        return self.truth.by_name[parcel].waybill_no


def api(url: str, truth: Truth, **settings: str) -> Api:
    """The whole application over a world on disk, all of it by one clock, moved by hand.

    `settings`: more of them, such as telephony__vendor.
    """
    clock = SteppedClock(NOW)
    more = {name.replace("__", "."): value for name, value in settings.items()}
    flags = {"database": url, "serve.public_url": ADDRESS, **more}
    with patch("acl_engine.bootstrap.service._clock", lambda *_: clock):
        made = Service.open(load(None, flags, {}).settings)
    registry = SqlServiceRegistry(made.database)
    home = RegisteredService("lookup-api", f"{ADDRESS}/v1/", "API", proxied_by=("portal",))
    registry.add(home, "test", 0)
    registry.add(RegisteredService("query", "https://query.example/", "Query"), "test", 0)
    return Api(made, truth, application(made), clock)


def copied(file: Path, folder: Path) -> str:
    shutil.copy(file, folder / "api.db")
    return f"sqlite:///{folder / 'api.db'}"
