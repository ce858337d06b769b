"""Bearer tokens of service accounts, and the port to their store."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token as it is stored: by its hash. Times are epoch seconds UTC."""

    token_hash: str
    login: str
    purpose: str
    epoch: int
    made_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None


class ServiceTokenStore(Protocol):
    """Every method is one transaction; StoreError on failure."""

    def add(self, token: ServiceToken) -> None: ...

    def token(self, token_hash: str) -> ServiceToken | None: ...

    def of_login(self, login: str) -> tuple[ServiceToken, ...]:
        """Neither revoked nor, necessarily, still good; the newest first."""
        ...

    def revoke(self, login: str, now: int) -> int:
        """End every token of an account; how many."""
        ...
