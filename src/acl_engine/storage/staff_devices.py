"""Devices in the staff directory: what a row holds, and how one changes hands."""

from typing import Any

from sqlalchemy import Connection, or_, select, text, update

from acl_engine.domain.accounts import SCANNERS, Device
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import DeviceChange
from acl_engine.domain.text import Text
from acl_engine.storage.releases import revoke
from acl_engine.storage.tables import accounts, devices, persons

_CREATE = ("检查写法，或先创建", "check the spelling, or create it first")
NO_ACCOUNT = Text("staff-missing-account", "没有账号 `{name}`", "no account `{name}`", *_CREATE)
NO_DEVICE = Text("staff-missing-device", "没有设备 `{name}`", "no device `{name}`", *_CREATE)
NO_PERSON = Text("staff-missing-person", "没有人员 `{name}`", "no person `{name}`", *_CREATE)
KEY_TAKEN = Text(
    "administration-known-key",
    "设备 `{device}` 已登记该公钥",
    "the device `{device}` is on record with this public key",
    "一台设备一把密钥，挂失的密钥不再启用",
    "one key a device, and a lost device's key stays dead",
)
DEVICE_TAKEN = Text(
    "administration-second-device",
    "人员 `{person}` 已绑定 {device_class} 设备 `{device}`",
    "person `{person}` is bound to the {device_class} device `{device}`",
    "先撤销旧设备",
    "revoke that one first",
)


def device_row(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "device_class": device.device_class,
        "unit": device.unit,
        "person": device.person,
        "public_key": device.public_key,
        "status": device.status,
        "lease_until": device.lease_until,
        "adapter": device.adapter,
    }


def refuse_known_key(cx: Connection, device: Device) -> None:
    """Raise InputError for a key that any device has or had: under a second name one scanner would
    be two persons', and a lost one would be back."""
    if device.public_key is None:
        return
    if cx.dialect.name == "postgresql":  # two at once would each see none; SQLite has one writer
        cx.execute(text("LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE"))
    same = select(devices.c.id).where(devices.c.public_key == device.public_key)
    if (known := cx.scalar(same.where(devices.c.id != device.id))) is not None:
        raise InputError(KEY_TAKEN.of(device=known))


def change_device(cx: Connection, device: str, change: DeviceChange, now: int) -> None:
    """See `domain.staff.StaffDirectory.change_device`."""
    values: dict[str, Any] = {}
    if change.person is not None:
        values["person"] = change.person or None
    if change.status is not None:
        values["status"] = change.status
    if change.lease_until is not None:
        values["lease_until"] = change.lease_until
    query = select(devices).where(devices.c.id == device)
    before = cx.execute(query.with_for_update()).first()
    if before is None:
        raise InputError(NO_DEVICE.of(name=device))
    if change.person:
        _only_device(cx, device, change.person, before.device_class)
    cx.execute(update(devices).where(devices.c.id == device).values(**values))
    longer = set(values) == {"lease_until"} and values["lease_until"] >= before.lease_until
    if before.person is not None and not longer:
        holder = or_(accounts.c.person == before.person, accounts.c.login == before.person)
        revoke(cx, holder, now)


def _only_device(cx: Connection, device: str, person: str, device_class: str) -> None:
    """Raise InputError if they hold another; under a lock on them, so that two at once see it."""
    cx.execute(select(persons.c.id).where(persons.c.id == person).with_for_update())
    cx.execute(select(accounts.c.login).where(accounts.c.login == person).with_for_update())
    theirs = (devices.c.person == person) & (devices.c.status == "active")
    alike = SCANNERS if device_class in SCANNERS else (device_class,)
    other = theirs & devices.c.device_class.in_(alike) & (devices.c.id != device)
    if held := cx.execute(select(devices.c.id, devices.c.device_class).where(other)).first():
        params = {"person": person, "device": held.id, "device_class": held.device_class}
        raise InputError(DEVICE_TAKEN.of(**params))
