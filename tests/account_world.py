"""fill()'s company under the rules of accounts: everybody in force, an administrator, superiors."""

import hashlib
from dataclasses import replace
from pathlib import Path

from acl_engine.bootstrap.account_standing import AccountStanding
from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.keys import Keys
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.pack_settings import AccountSettings
from acl_engine.identity.login import Logins
from acl_engine.identity.sessions import StoredSessions
from acl_engine.identity.standing import DAY, Rules
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database
from acl_engine.storage.staff import SqlStaffDirectory
from acl_engine.storage.tables import accounts, persons
from tests.identity_world import NOW, PASSWORDS, STRICT, Hand, fill

KEYSET = replace(Keys.of(b"m" * 32, b"m" * 32), totp=b"k" * 32)
TEXT = "我不外借账号。\n".encode()
SIGNED = Undertaking("v1", hashlib.sha256(TEXT).hexdigest())
_AFTER = Path(__file__).parents[1] / "policies" / "courier" / "after"
RULES = Rules(
    AccountSettings(undertaking="v1", temporary_roles=("courier",)), SIGNED, load_pack(_AFTER).roles
)


class Company:
    """fill()'s company under the rules: an administrator, a manager above p1, everyone in force."""

    def __init__(self, database: Database) -> None:
        fill(database)
        self.database = database
        self.hand = Hand(database, STRICT)
        self.log: list[AuditEntry] = []
        self.directory = SqlStaffDirectory(database)
        self.rules(RULES)
        hand = self.hand
        hand.change(
            persons,
            persons.c.id != "",
            undertaking="v1",
            undertaking_digest=SIGNED.digest,
            undertaking_at=NOW - DAY,
            training="privacy",
            trained_at=NOW - DAY,
            superior="owner",
        )
        hand.change(persons, persons.c.id == "owner", superior=None)
        hand.change(persons, persons.c.id == "p1", superior="p2")
        hand.change(accounts, accounts.c.login == "weak-1", role="account_admin")

    def rules(self, rules: Rules) -> None:
        hand = self.hand
        desk = Desk.over(self.database, KEYSET, hand, rules)
        self.acts = Administration(replace(desk, audit=self.log.append), PASSWORDS)
        self.standing = AccountStanding(self.acts)
        self.hand.logins = Logins(
            hand.store, STRICT, hand, PASSWORDS, self.acts.secrets._totp, hand.throttle, rules
        )
        self.hand.sessions = StoredSessions(hand.store, STRICT, hand, rules)

    def person(self, id_: str, **values: object) -> None:
        self.hand.change(persons, persons.c.id == id_, **values)

    def account(self, login: str, **values: object) -> None:
        self.hand.change(accounts, accounts.c.login == login, **values)

    def status(self, login: str) -> str:
        return self.acts.account(login).status
