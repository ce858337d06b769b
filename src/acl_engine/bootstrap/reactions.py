"""What is done about an alert: the accounts' side of `domain.alarm.Reactions`.

INVARIANTS
- Only who held the account's secret answers for it: who merely typed its name somewhere can neither
  freeze it nor hold it. Otherwise anybody could shut anybody out by failing in their name.
- The last administrator in force is held, never frozen: somebody must be left to undo a freeze.
- Each account is dealt with on its own, on record with the alert, before it is done; a failure with
  one spares no other. What is done counts at the next decision in every process.
"""

from collections.abc import Callable
from dataclasses import replace

from acl_engine.audit import record
from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Alert
from acl_engine.domain.errors import AclError
from acl_engine.domain.factors import FactorStore
from acl_engine.domain.staff import DETECTION
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.factors import SqlFactors

# Refused logins in which the password was not right, or never looked at.
WITHOUT_SECRET = frozenset({"password-wrong", "throttled", "busy", "unknown-login"})
ONLY_TRIED, LAST_ADMINISTRATOR = "only-tried", "last-administrator"


def keepers_of(desk: Desk, login: str, role: str) -> tuple[str, ...] | None:
    """Who could undo a freeze of this account: of an administrator's the others in force, and
    without any it is not frozen. None: anybody's to freeze."""
    roles = desk.rules.settings.administrators
    if role not in roles:
        return None
    return tuple(one for one in desk.in_force(roles) if one != login)


class AccountReactions:
    """Freezes accounts and holds sessions. Safe to call from several threads and processes."""

    @classmethod
    def over(cls, database: Database, desk: Desk) -> "AccountReactions":
        """The reactions over an open database and the desk on it."""
        log = AuditStore(database, record.encode, record.leaf_hash, record.decode)

        def entry(index: int) -> AuditEntry | None:
            found = log.at(index)
            return found[1] if found else None

        return cls(desk, SqlFactors(database), entry)

    def __init__(
        self, desk: Desk, factors: FactorStore, entry: Callable[[int], AuditEntry | None]
    ) -> None:
        """`entry`: the log's record at an index, None: it is gone."""
        self._desk, self._factors, self._entry = desk, factors, entry
        self._done: dict[str, set[str]] = {}  # of alerts that failed with one of their accounts

    def react(self, alert: Alert) -> None:
        """See the port. Raises the first failure after every account had its turn; tried again,
        those that were dealt with are left alone: a person may have let them in since."""
        held = {one for one in map(self._holder, alert.evidence) if one is not None}
        failed: AclError | None = None
        done = self._done.setdefault(alert.id, set())
        for login in alert.accounts:
            if login in done:
                continue
            try:
                if login not in held:
                    self._note("account.spare", login, alert, ONLY_TRIED)
                elif alert.response == "freeze":
                    self._freeze(login, alert)
                elif alert.response == "step-up":
                    self._hold(login, alert)
                done.add(login)
            except AclError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        self._done.pop(alert.id, None)

    def _holder(self, index: int) -> str | None:
        """The account that a record proves to have been opened, or to have had its password."""
        entry = self._entry(index)
        if entry is None:
            return None
        tried = entry.action in ("login", "step-up") and entry.effect == "deny"
        if tried and (entry.reason in WITHOUT_SECRET or self._is_service(entry.account)):
            return None
        return entry.account

    def _is_service(self, login: str | None) -> bool:
        """A service has no password, so that whoever types its name gets as far as its device."""
        account = self._desk.account(login) if login else None
        return account is not None and account.service

    def _freeze(self, login: str, alert: Alert) -> None:
        account = self._desk.account(login)
        # One who is suspended is frozen all the same: what suspended them may be undone without a
        # reason, and the alert would be forgotten.
        if account is None or account.status == "left":
            return
        keepers = keepers_of(self._desk, login, account.role)
        if keepers == ():
            self._spare(login, alert)
            return
        self._note("account.suspend", login, alert, alert.rule)
        now, directory = self._desk.now(), self._desk.directory
        if not directory.freeze(login, keepers, now):
            self._spare(login, alert)

    def _spare(self, login: str, alert: Alert) -> None:
        self._note("account.spare", login, alert, LAST_ADMINISTRATOR)
        self._hold(login, alert)

    def _hold(self, login: str, alert: Alert) -> None:
        self._note("account.hold", login, alert, alert.rule)
        self._factors.hold(login, self._desk.now())

    def _note(self, action: str, login: str, alert: Alert, reason: str) -> None:
        act = Act(action, (login,), DETECTION, reason, alert.id)
        self._desk.note(replace(act, evidence=alert.evidence))
