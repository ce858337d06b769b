"""Giving a service its bearer token, once, and taking it back."""

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.errors import InputError
from acl_engine.domain.service_tokens import ServiceToken
from acl_engine.domain.text import Text
from acl_engine.identity.service_tokens import MOST_DAYS, PURPOSES, new_token

NO_SERVICE = Text(
    "service-token-no-service",
    "`{login}` 不是有效的服务账号",
    "`{login}` is no active service account",
    "用 `acl account create-service` 创建；人员须登录",
    "make one with `acl account create-service`; people log in",
)
NO_PURPOSE = Text(
    "service-token-purpose",
    "没有用途 `{purpose}`",
    "there is no purpose `{purpose}`",
    "可用：{known}",
    "known: {known}",
)
TOO_LONG = Text(
    "service-token-term",
    "期限须为 1 至 {most} 天",
    "a term is 1 to {most} days",
    "改短 --days",
    "shorten --days",
)


class ServiceAccess:
    """The acts of `acl account issue-token` and `revoke-tokens`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._roles = desk.rules.settings.administrators

    def issue(self, login: str, purpose: str, days: int, by: str) -> str:
        """A token, shown to whoever sets the service up and never again. On record before."""
        if purpose not in PURPOSES:
            raise InputError(NO_PURPOSE.of(purpose=purpose, known=", ".join(PURPOSES)))
        if not 1 <= days <= MOST_DAYS:
            raise InputError(TOO_LONG.of(most=MOST_DAYS))
        account = self._desk.account(login)
        act = Act("account.issue-token", (login,), by, purpose)
        self._desk.permit(act, self._roles, account.person if account else None)
        if account is None or not (account.service and account.active):
            raise InputError(NO_SERVICE.of(login=login))
        token, kept = new_token(account, purpose, days, by, self._desk.now())
        self._desk.do(act, lambda now: self._desk.tokens.add(kept))
        return token

    def revoke(self, login: str, by: str) -> int:
        """End all tokens of a service; how many."""
        act = Act("account.revoke-tokens", (login,), by)
        self._desk.permit(act, self._roles, None)
        ended: list[int] = []
        self._desk.do(act, lambda now: ended.append(self._desk.tokens.revoke(login, now)))
        return sum(ended)

    def held(self, login: str) -> tuple[ServiceToken, ...]:
        return self._desk.tokens.of_login(login)
