"""Bearer tokens of services: for one purpose, for a term, dead with their account's epoch.

INVARIANTS
- The token is 256 random bits, shown once; its SHA-256 is what is stored.
- A token is good while its service is active and in force, has an owner who is, has not changed
  since it was given, and neither its term nor its purpose is another.
- Only a service has one: a person logs in.
"""

import secrets
from collections.abc import Callable

from acl_engine.domain.accounts import Account
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import SessionDead
from acl_engine.domain.ports import Clock
from acl_engine.domain.service_tokens import ServiceToken, ServiceTokenStore
from acl_engine.identity import standing
from acl_engine.identity.sessions import ACCOUNT_STATE, hash_token
from acl_engine.identity.standing import Rules

# What a service may be given a token for.
PURPOSES = ("scim", "evaluation", "metrics")
MOST_DAYS = 366
_PREFIX = "acls_"
_BYTES = 32


def new_token(
    account: Account, purpose: str, days: int, by: str, now: int
) -> tuple[str, ServiceToken]:
    """A token for its holder, and what is stored of it."""
    token = _PREFIX + secrets.token_urlsafe(_BYTES)
    expires = now + days * standing.DAY
    kept = ServiceToken(hash_token(token), account.login, purpose, account.epoch, by, now, expires)
    return token, kept


class ServiceTokens:
    """Resolves tokens against accounts as they are now."""

    def __init__(
        self,
        store: ServiceTokenStore,
        account: Callable[[str], Account | None],
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._store, self._account = store, account
        self._rules, self._clock = rules, clock

    def resolve(self, token: str, purpose: str) -> Account:
        """The service behind a token. Raises SessionDead, with the refusal for the audit."""
        kept = self._store.token(hash_token(token))
        if kept is None:
            raise _dead("unknown-token")
        account = self._account(kept.login)  # read after the token: never older than it
        now = int(self._clock.now().timestamp())
        if kept.revoked_at is not None or kept.expires_at <= now or kept.purpose != purpose:
            raise _dead("token-over", ACCOUNT_STATE)
        if account is None or not (account.service and account.person and account.active):
            raise _dead("account-not-active", ACCOUNT_STATE)
        if account.epoch != kept.epoch:
            raise _dead("account-changed", ACCOUNT_STATE)
        if lapsed := self._rules.lapses(account, now):
            raise _dead(lapsed[0], standing.CONTROL)
        return account


def _dead(code: str, *controls: str) -> SessionDead:
    return SessionDead(Refusal(line="0", controls=controls, rule=None, code=code))
