"""What Tencent NPP reports of calls that have ended (直拨话单推送, 回拨话单推送): to which address,
and what is believed of it.

The vendor signs no report, and publishes no list of the addresses that it reports from. So each
request carries an address of its own (`HangupUrl`), which holds the binding's or the call's name,
its end, and a code over both under a key that only the vendor's account yields.

INVARIANTS
- An address that this company did not make, or that has run out, is none: the same answer as for
  any other path.
- Of a report the outcome is kept, as a word. Its numbers are compared and forgotten; nothing of
  it is logged.
- One call counts once, however often it is reported, and a report moves nothing but the record of
  its own call.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from acl_engine.bootstrap.tencent_npp import NppAccount, international
from acl_engine.domain.calls import Call, Ends
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.enforcement.hanging_up import CALLED_BACK

PATH = "/telephony/npp/"
OTHER_APPLICATION = Text(
    "telephony.other-application",
    "话单不属于本公司的应用",
    "the report is of another application than this company's",
    "核对服务商控制台与账户文件中的 app_id",
    "compare app_id in the account file with the provider's console",
)
# A record may come long after its call.
LATE_SECONDS = 24 * 3600
_ADDRESS = re.compile(r"([0-9a-f]{24})(?:\.([0-9a-f]{16}))?\.([0-9]{10})\.([0-9a-f]{64})")
# `callEndStatusDetail` of a direct call, then `callEndStatus` of a direct call and of a call that
# was placed. Whatever else they say is a failure.
_DETAIL = {
    "1": "answered", "2": "busy", "3": "no-answer", "4": "busy", "5": "no-answer",
    "6": "off", "7": "off", "8": "off", "9": "off",
}  # fmt: skip
_DIRECT = {"1": "answered", "3": "off", "4": "no-answer"}
_PLACED = {"1": "answered", "3": "no-answer", "5": "off"}
_FAILED = "failed"

_Word = Annotated[str, Meta(max_length=128)]


class NppReport(Struct, frozen=True, rename="camel"):
    """A record as it is pushed; every value is a text. What is not named here is not read."""

    app_id: _Word
    call_id: Annotated[str, Meta(min_length=1, max_length=128)]
    src: _Word
    call_end_status: _Word
    call_end_status_detail: _Word = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What an address stands for: a binding, and one call of it or (None) whoever rings."""

    binding: str
    call: str | None


class NppReports:
    """Makes the addresses, and reads what comes to them. Thread-safe; the same in each process."""

    def __init__(
        self,
        account: NppAccount,
        public_url: str,
        keep: Callable[[Call], None],
        now: Callable[[], float],
    ) -> None:
        """`public_url`: where the vendor reaches this service; `keep` keeps a call's record."""
        self._base = public_url.rstrip("/") + PATH
        self._app = account.app_id
        self._ours = frozenset(map(international, account.lines.values()))
        self._key = hmac.digest(account.secret_key.encode(), b"acl call reports", "sha256")
        self._keep = keep
        self._now = now

    def address(self, ends: Ends) -> str | None:
        """Where the vendor is to report of this binding or call; None: it has no name."""
        said = f"{ends.name}.{ends.expires_at + LATE_SECONDS}"
        address = f"{said}.{self._code(said)}"
        return f"{self._base}{address}" if _ADDRESS.fullmatch(address) else None

    def known(self, address: str) -> Reported | None:
        """What the last part of an address stands for; None: nothing."""
        found = _ADDRESS.fullmatch(address)
        if found is None:
            return None
        said, _, code = address.rpartition(".")
        genuine = hmac.compare_digest(code, self._code(said))
        return Reported(found[1], found[2]) if genuine and int(found[3]) > self._now() else None

    def take(self, of: Reported, report: NppReport) -> None:
        """Keep what a report says. Raises InputError for another application's, StoreError."""
        if report.app_id != self._app:
            raise InputError(OTHER_APPLICATION.of())
        by_hand = of.call is None and report.src in self._ours
        self._keep(Call(of.binding, int(self._now()), *self._told(of, report), by_hand))

    def _told(self, of: Reported, report: NppReport) -> tuple[str, str]:
        """The outcome, and the call's name."""
        if of.call is not None:
            return _PLACED.get(report.call_end_status, _FAILED), of.call
        detail = _DETAIL if report.call_end_status_detail else _DIRECT
        outcome = detail.get(report.call_end_status_detail or report.call_end_status, _FAILED)
        if outcome == "answered" and report.src not in self._ours:
            outcome = CALLED_BACK
        # The vendor's name for the call is kept as a digest: what it is made of is not known.
        digest = hashlib.sha256(f"{of.binding} {report.call_id}".encode()).hexdigest()
        return outcome, digest

    def _code(self, said: str) -> str:
        return hmac.digest(self._key, said.encode(), "sha256").hex()
