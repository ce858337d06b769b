"""Tencent Cloud number protection (号码保护 NPP, API 2019-08-23) as the provider of dial.

`GetVirtualNum` binds an intermediate number between two ends (AXB), `CreateCallBack` rings both of
them, so that no handset is told a number, `DelVirtualNum` unbinds.

INVARIANTS
- What is not plainly a success is a refusal: another status, no answer in time, an answer that is
  too long or no JSON, an error code, a missing id.
- Of an error its code alone is kept, and only if it looks like one: a message may quote a number.
- Nothing is recorded (`Record` is 0), and no recording is ever asked for. Call records come to the
  address that goes along with each request (`tencent_reports`), or nowhere.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from acl_engine.bootstrap.outbound import HttpsOutbound
from acl_engine.bootstrap.tencent_signature import JSON, authorization
from acl_engine.domain.calls import PLACED, Ends
from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text
from acl_engine.masking.phone import parse

ENDPOINT = "https://npp.tencentcloudapi.com"
VERSION = "2019-08-23"
FAILED = Text(
    "dial.provider-failed",
    "电话服务商未能办理：{code}",
    "the telephone provider did not do it: {code}",
    "稍后再拨；持续出现请查看服务商控制台",
    "dial again later; if it goes on, look at the provider's console",
)
NO_LINE = Text(
    "dial.no-line",
    "设备 `{device}` 没有登记的线路，或对方号码不能经服务商呼叫",
    "device `{device}` has no registered line, or the provider cannot reach the other number",
    "在 telephony.account_file 的 lines 中登记该设备的号码",
    "register the device's number under `lines` of telephony.account_file",
)
_MOST_BYTES = 65_536
_LONGEST_BINDING = 168 * 3600
_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,63}|-?\d{1,6}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_VIRTUAL = re.compile(r"\d{6,20}")
_NONE = "-"  # the reference where nothing had to be bound


@dataclass(frozen=True, slots=True)
class NppAccount:
    """The company's account there. `lines`: a device's id -> its number, registered with the
    provider (实际使用人报备)."""

    app_id: str
    secret_id: str
    secret_key: str = field(repr=False)
    lines: Mapping[str, str] = field(repr=False)


class TencentNpp:
    """Implements `domain.ports.DialProvider`. Thread-safe; keeps no number of a person."""

    def __init__(
        self,
        account: NppAccount,
        outbound: HttpsOutbound,
        endpoint: str = ENDPOINT,
        now: Callable[[], float] = time.time,
        reported_to: Callable[[Ends], str | None] = lambda ends: None,
    ) -> None:
        """`reported_to`: the address for the record of a call, if there is one."""
        self._account = account
        self._outbound = outbound
        self._endpoint = endpoint
        self._now = now
        self._reported_to = reported_to

    def bind(self, ends: Ends) -> str:
        if not ends.both_ways:
            return _NONE  # ringing both ends needs no binding; only calling back does
        seconds = min(_LONGEST_BINDING, max(60, ends.expires_at - int(self._now())))
        bound = self._asked(
            "GetVirtualNum", {**self._ends(ends), "MaxAssignTime": str(seconds), "Record": "0"}
        )
        name, virtual = str(bound.get("BindId")), str(bound.get("VirtualNum"))
        if not (_ID.fullmatch(name) and _VIRTUAL.fullmatch(virtual)):
            raise StoreError(FAILED.of(code="no-binding"))
        return f"{name}/{virtual}"

    def call(self, reference: str, ends: Ends) -> str:
        _, _, virtual = reference.partition("/")
        shown = {"DstDisplayNum": virtual} if virtual else {}
        placed = self._asked(
            "CreateCallBack",
            {**self._ends(ends), **shown, "MaxAllowTime": str(ends.most_minutes), "Record": "0"},
        )
        if not placed.get("CallId"):
            raise StoreError(FAILED.of(code="no-call"))
        return PLACED

    def unbind(self, reference: str) -> None:
        name, _, _ = reference.partition("/")
        if name != _NONE:
            self._asked("DelVirtualNum", {"BindId": name})

    def _ends(self, ends: Ends) -> dict[str, str]:
        source = international(self._account.lines.get(ends.device or "", ""))
        target = international(ends.number)
        if source is None or target is None:
            raise StoreError(NO_LINE.of(device=ends.device or "?"))
        address = self._reported_to(ends)
        return {"Src": source, "Dst": target, **({"HangupUrl": address} if address else {})}

    def _asked(self, action: str, values: Mapping[str, str]) -> Mapping[str, Any]:
        body = msgspec.json.encode({"BizAppId": self._account.app_id, **values})
        at, account = int(self._now()), self._account
        headers = {
            "Content-Type": JSON,
            "X-TC-Action": action,
            "X-TC-Version": VERSION,
            "X-TC-Timestamp": str(at),
            "Authorization": authorization(
                account.secret_id, account.secret_key, self._endpoint, body, at
            ),
        }
        status, answer = self._outbound.exchange(self._endpoint, body, headers, _MOST_BYTES)
        return _succeeded(status, answer)


def _succeeded(status: int, answer: bytes) -> Mapping[str, Any]:
    """The answer's `Response`. Raises StoreError for whatever is no success."""
    if status != 200:
        raise StoreError(FAILED.of(code=f"http-{status}" if status else "no-answer"))
    try:
        said = msgspec.json.decode(answer)["Response"]
        error = said.get("Error")
        code = str(error["Code"] if error is not None else said["ErrorCode"])
    except (msgspec.DecodeError, UnicodeError, KeyError, TypeError, AttributeError):
        raise StoreError(FAILED.of(code="unreadable")) from None
    if error is not None or code != "0":
        raise StoreError(FAILED.of(code=code if _CODE.fullmatch(code) else "?"))
    found: Mapping[str, Any] = said
    return found


def international(number: str) -> str | None:
    """As the API writes it: 0086 before a mainland mobile or landline. None: it is neither."""
    shape = parse(number)
    if shape is None or shape.form not in ("mobile", "landline") or len(shape.parts) != 1:
        return None
    digits = re.sub(r"\D", "", shape.text)
    return f"0086{digits}" if digits.isdecimal() else None
