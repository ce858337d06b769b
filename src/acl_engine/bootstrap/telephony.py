"""The telephone provider that the settings name; and the rounds that end what it has bound.

INVARIANTS
- What the chosen vendor needs and was not given stops the start.
- The account file holds a secret and the company's lines: nobody but its owner may read it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from acl_engine.bootstrap.engine import Engine
from acl_engine.bootstrap.outbound import HttpsOutbound
from acl_engine.bootstrap.provider import NoProvider
from acl_engine.bootstrap.settings import Telephony, contradiction
from acl_engine.bootstrap.tencent_npp import ENDPOINT, NppAccount, TencentNpp, international
from acl_engine.bootstrap.tencent_reports import NppReports
from acl_engine.domain.calls import Call
from acl_engine.domain.errors import AclError, ConfigError
from acl_engine.domain.ports import DialProvider
from acl_engine.domain.text import Text
from acl_engine.identity.service_url import loopback
from acl_engine.policy import strict_yaml

log = logging.getLogger("acl.telephony")

OPEN_FILE = Text(
    "telephony.open-file",
    "电话账户文件 `{file}` 他人可读",
    "others may read the telephone account file `{file}`",
    "chmod 600",
    "chmod 600",
)
BAD_LINE = Text(
    "telephony.bad-line",
    "设备 `{device}` 的线路不是大陆电话号码",
    "the line of device `{device}` is no mainland telephone number",
    "写成加引号的数字，不带分机",
    "write its digits, in quotes, without an extension",
)
_ROUND_SECONDS = 5.0


class AccountFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`acl-telephony/1`: the company's account with the vendor, and the line of each device."""

    schema: Literal["acl-telephony/1"]
    app_id: str
    secret_id: str
    secret_key: str
    lines: dict[str, str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who rings; None: what the world itself has. `reports`: what a vendor's records come to."""

    provider: DialProvider | None
    reports: NppReports | None = None


def provider_of(
    settings: Telephony,
    *,
    synthetic: bool,
    public_url: str | None = None,
    keep: Callable[[Call], None] = lambda call: None,
    now: Callable[[], float] = time.time,
) -> Chosen:
    """The vendor's adapter. Raises ConfigError.

    `public_url`: where a vendor reaches this service; without one, no record of a call is asked
    for. `keep` keeps such a record, `now` is the time of the world's calls.
    """
    if settings.vendor == "world":
        if settings.account_file is not None or settings.endpoint is not None:
            raise contradiction("telephony.account_file, telephony.endpoint: no telephony.vendor")
        return Chosen(None)
    if settings.vendor == "none":
        return Chosen(NoProvider())
    if settings.account_file is None:
        raise contradiction("telephony.vendor: telephony.account_file is not given")
    endpoint = settings.endpoint or ENDPOINT
    _check_endpoint(endpoint, synthetic=synthetic)
    outbound = HttpsOutbound(settings.authorities, settings.seconds)
    account = read_account(Path(settings.account_file))
    if public_url is None:
        return Chosen(TencentNpp(account, outbound, endpoint))
    reports = NppReports(account, public_url, keep, now)
    return Chosen(TencentNpp(account, outbound, endpoint, reported_to=reports.address), reports)


def _check_endpoint(endpoint: str, *, synthetic: bool) -> None:
    """Raise ConfigError where numbers would leave in clear, or those of a synthetic world, which
    may be somebody's, would be rung."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if synthetic and not loopback(host):
        raise contradiction("telephony.vendor: a synthetic world does not ring real telephones")
    secure = parts.scheme == "https" or (parts.scheme == "http" and loopback(host))
    more = parts.username is not None or parts.path not in ("", "/") or "?" in endpoint
    if more or not (secure and host):
        raise contradiction("telephony.endpoint: https://host, with nothing before or after it")


def read_account(path: Path) -> NppAccount:
    """The account of a file. Raises ConfigError, which names devices and no number."""
    found = strict_yaml.read(path, AccountFile, error=ConfigError)
    if path.stat().st_mode & 0o077:
        raise ConfigError(OPEN_FILE.of(file=path.name))
    _check_lines(found.lines)
    return NppAccount(found.app_id, found.secret_id, found.secret_key, found.lines)


def _check_lines(lines: Mapping[str, str]) -> None:
    for device, number in lines.items():
        if international(number) is None:
            raise ConfigError(BAD_LINE.of(device=device))


class Rounds:
    """Hangs up, every few seconds, what has lost its reason, as long as the service answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()

    def run(self) -> None:
        while not self._stop.wait(_ROUND_SECONDS):
            self.round()

    def round(self) -> int:
        """One round; how many bindings it ended. A database that cannot answer is asked again."""
        try:
            return self._engine.hang_up()
        except AclError as error:
            log.warning("hanging up waits: %s", error.message.code)
        except Exception as error:  # noqa: BLE001 - without rounds every call would stay bound
            log.error("hanging up failed: %s", type(error).__name__)
        return 0

    def stop(self) -> None:
        self._stop.set()
