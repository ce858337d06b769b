"""A running service as a machine elsewhere uses it: over HTTPS, with the person's own session.

What stands in a branch holds neither the database nor the master key: it asks like anybody else.

INVARIANTS
- The service's certificate and name are verified; nothing is kept of an answer.
- Only a whole, good answer is one: anything else raises, and whoever asked shows nothing.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar

from acl_engine.domain.accounts import DeviceProof
from acl_engine.domain.errors import AccessDenied, InputError, StoreError
from acl_engine.domain.request import Query
from acl_engine.domain.text import Text
from acl_engine.domain.view import Answer, View

NOT_REACHED = Text(
    "remote.not-reached",
    "服务没有答复（状态 {status}）",
    "the service gave no answer (status {status})",
    "检查地址、证书与网络；服务恢复后重试",
    "check address, certificate and network; try again when it is back",
)
NOT_TAKEN = Text(
    "remote.not-taken",
    "服务不接受这一请求（请求编号 {request}）",
    "the service does not take this request (request {request})",
    "核对单号与网点",
    "check the number and the unit",
)
# A page of the API is far smaller.
_MOST_BYTES = 1 << 20
_T = TypeVar("_T")


class Exchange(Protocol):
    """The way there, such as `HttpsOutbound`."""

    def exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]: ...


@dataclass(frozen=True, slots=True)
class RemoteService:
    """`address`: `https://host:port`. Every method raises AccessDenied for a refusal, with the
    service's request id; InputError for what it cannot read; StoreError when it does not answer."""

    address: str
    outbound: Exchange

    def challenge(self, device: str) -> str:
        """See `Engine.challenge`."""
        return self._ask("/v1/challenge", {"device": device}, lambda said: str(said["challenge"]))

    def login(self, login: str, password: str, *, totp: str, device: DeviceProof) -> str:
        """See `Engine.login`."""
        signature = base64.urlsafe_b64encode(device.signature).decode().rstrip("=")
        answer = {"id": device.device, "challenge": device.nonce, "signature": signature}
        typed = {"login": login, "password": password, "code": totp, "device": answer}
        return self._ask("/v1/login", typed, lambda said: str(said["token"]))

    def ask(self, token: str, query: Query) -> Answer:
        """One record by its key; see `Engine.ask`."""
        body = {"key": query.key, "action": query.action, "fields": list(query.fields)}

        def answer(said: Any) -> Answer:
            views = [
                View(query.resource, str(one["handle"]), dict(one["fields"]), str(one["watermark"]))
                for one in said["views"]
            ]
            return Answer(str(said["request"]), tuple(views))

        return self._ask("/v1/lookup", {**body, "resource": query.resource}, answer, token)

    def act(self, token: str, query: Query) -> object:
        """See `Engine.act`."""
        body = {"key": query.key, "action": query.action, "params": dict(query.params)}
        return self._ask("/v1/act", {**body, "resource": query.resource}, lambda said: said, token)

    def logout(self, token: str) -> None:
        """See `Engine.logout`."""
        self._ask("/v1/logout", None, lambda said: None, token)

    def _ask(self, path: str, body: object, read: Callable[[Any], _T], token: str = "") -> _T:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        sent = b"" if body is None else json.dumps(body).encode()
        status, answer = self.outbound.exchange(self.address + path, sent, headers, _MOST_BYTES)
        try:
            said = json.loads(answer) if answer else {}
            if status in (200, 204):
                return read(said)
            _refused(status, str(said["request"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise StoreError(NOT_REACHED.of(status=status)) from None


def _refused(status: int, request: str) -> NoReturn:
    if status in (401, 403):
        raise AccessDenied(request)
    if status in (400, 413, 422):
        raise InputError(NOT_TAKEN.of(request=request))
    raise StoreError(NOT_REACHED.of(status=status))
