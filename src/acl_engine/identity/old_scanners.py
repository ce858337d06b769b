"""Scanners that hold no key (`legacy_scanner`): let in through an adapter, until a cut-off date.

The adapter (class `adapter`) stands in the branch, holds a key, and signs the challenge for the
scanner plugged into it. It opens nothing for itself. What may be done on such a scanner is
narrowed in `enforcement/narrowed.py`, whatever the person may do elsewhere.

INVARIANTS
- By inventory, branch and lease: the scanner is enrolled, bound to the person and leased; scanner,
  adapter and account are of one unit; the adapter is active and leased too. Each is read live.
- No cut-off date, or one that has passed: no such scanner is let in, and none stays in.
"""

from datetime import date, datetime, time, timedelta, timezone

from acl_engine.domain.accounts import ADAPTER, LEGACY, Account, Device, IdentityStore
from acl_engine.domain.pack_settings import LoginSettings

# A day ends when it ends in China, wherever the server stands.
_CHINA = timezone(timedelta(hours=8))


def cut_off(settings: LoginSettings) -> int:
    """When old scanners are denied: the end of the setting's day, epoch seconds. 0: always."""
    if not settings.legacy_until:
        return 0
    return end_of_day(date.fromisoformat(settings.legacy_until))


def end_of_day(day: date) -> int:
    """When a day is over in China, epoch seconds."""
    return int(datetime.combine(day + timedelta(days=1), time(), _CHINA).timestamp())


def refusal(
    store: IdentityStore, account: Account, device: Device, settings: LoginSettings, now: int
) -> str:
    """Why this scanner is not let in now, as a code; '' : it is, or it is no old scanner."""
    if device.device_class == ADAPTER:
        return "adapter-alone"
    if device.device_class != LEGACY:
        return ""
    if now >= cut_off(settings):
        return "legacy-cut-off"
    adapter = adapter_of(store, device)
    if adapter is None or adapter.status != "active" or adapter.lease_until <= now:
        return "legacy-no-adapter"
    return "" if device.unit == adapter.unit == account.unit else "legacy-other-unit"


def adapter_of(store: IdentityStore, device: Device) -> Device | None:
    """The adapter that signs for an old scanner, if it is one."""
    found = store.device(device.adapter) if device.adapter else None
    return found if found is not None and found.device_class == ADAPTER else None
