"""Administering devices: enrol, bind to one person, lease for a shift, revoke when lost."""

from dataclasses import dataclass

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.accounts import ADAPTER, LEGACY, Device
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import DeviceChange, StaffDirectory
from acl_engine.domain.text import Text
from acl_engine.identity.devices import DEVICE_ID, anybody_signs
from acl_engine.identity.hr_plan import NO_UNIT
from acl_engine.identity.old_scanners import cut_off

NO_HOLDER = Text(
    "administration-no-holder",
    "`{person}` 不是在职人员，也不是服务账号",
    "`{person}` is neither a person who is here nor a service",
    "写人员编号，或服务的登录名",
    "name a person's id, or a service's login",
)
NO_ADAPTER = Text(
    "administration-no-adapter",
    "`{adapter}` 不是单位 `{unit}` 的适配器",
    "`{adapter}` is no adapter of the unit `{unit}`",
    "先以 --class adapter 登记本单位的适配器",
    "enrol one there first, with --class adapter",
)
DEAD = Text(
    "administration-dead-device",
    "设备 `{device}` 已挂失或撤销",
    "device `{device}` was lost or revoked",
    "登记新设备",
    "enrol another one",
)
BAD_ID = Text(
    "administration-device-id",
    "设备编号须为 1 至 64 个字母、数字或 . _ -，以字母或数字开头",
    "a device's id is 1 to 64 letters, figures and . _ -, beginning with a letter or a figure",
    "照设备标签填写",
    "write it as it stands on the device",
)
NO_KEY = Text(
    "administration-device-key",
    "设备 `{device}` 的公钥无效：任何人都能为它签名",
    "the public key of device `{device}` is none: anybody can sign for it",
    "在设备上生成密钥对",
    "have the device make its key pair",
)


@dataclass(frozen=True, slots=True)
class LegacyLeft:
    """Scanners without a key in one unit: enrolled, bound to somebody, leased now."""

    unit: str
    enrolled: int
    bound: int
    leased: int


@dataclass(frozen=True, slots=True)
class LegacyReport:
    """`ends`: when they are denied, epoch seconds (0: always); `denied`: they are already."""

    ends: int
    denied: bool
    units: tuple[LegacyLeft, ...]


class DeviceAdministration:
    """The acts of `acl device`. `by` is the login of who acts: nobody binds one to themself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._directory = desk.directory
        self._roles = desk.rules.settings.device_administrators

    def enrol(self, device: Device, by: str) -> None:
        act = Act("device.enrol", (device.id,), by)
        self._desk.permit(act, self._roles, None)
        if not DEVICE_ID.fullmatch(device.id):
            raise InputError(BAD_ID.of())
        if device.unit not in self._directory.units():
            raise InputError(NO_UNIT.of(unit=device.unit))
        if device.public_key and anybody_signs(device.public_key):
            raise InputError(NO_KEY.of(device=device.id))
        if device.device_class == LEGACY:
            adapter = self._directory.device(device.adapter or "")
            if (adapter.device_class, adapter.unit) != (ADAPTER, device.unit):
                raise InputError(NO_ADAPTER.of(adapter=adapter.id, unit=device.unit))
        self._desk.do(act, lambda now: self._directory.add_device(device))

    def bind(self, device: str, person: str, by: str) -> None:
        """Bind to a person who is here and holds no other active device of the class, or to a
        service; lease it next."""
        act = Act("device.bind", (device,), by)
        self._desk.permit(act, self._roles, person)
        self._usable(device)
        if not self._is_holder(person):
            raise InputError(NO_HOLDER.of(person=person))
        change = DeviceChange(person=person, lease_until=0)
        self._desk.do(act, lambda now: self._directory.change_device(device, change, now))

    def lease(self, device: str, until: int, by: str) -> None:
        """Lease until a time (epoch seconds); no session on the device outlives it."""
        self._usable(device)
        self._change_device("device.lease", device, DeviceChange(lease_until=until), by)

    def revoke(self, device: str, status: str, by: str) -> None:
        """`status` lost or revoked: the key is dead, and so are its holder's sessions."""
        self._change_device("device.revoke", device, DeviceChange(status=status), by)

    def left(self) -> "LegacyReport":
        """The scanners without a key that are still in use, by unit, and when they are denied."""
        found: dict[str, list[Device]] = {}
        for one in self._directory.staff().devices:
            if one.device_class == LEGACY and one.status == "active":
                found.setdefault(one.unit, []).append(one)
        login = self._desk.rules.login
        now, ends = self._desk.now(), cut_off(login) if login else 0
        counted = tuple(
            LegacyLeft(
                unit,
                len(those),
                sum(1 for one in those if one.person is not None),
                sum(1 for one in those if one.person is not None and one.lease_until > now),
            )
            for unit, those in sorted(found.items())
        )
        return LegacyReport(ends, ends <= now, counted)

    def _usable(self, device: str) -> None:
        """Raise InputError unless there is such a device, and it is neither lost nor revoked."""
        if self._directory.device(device).status != "active":
            raise InputError(DEAD.of(device=device))

    def _is_holder(self, person: str) -> bool:
        account = self._desk.account(person)
        if account is not None and account.service:
            return account.status != "left"
        here = self._directory.is_person(person)
        return here and _status(self._directory, person) == "active"

    def _change_device(self, action: str, device: str, change: DeviceChange, by: str) -> None:
        act = Act(action, (device,), by)
        self._desk.permit(act, self._roles, None)
        self._desk.do(act, lambda now: self._directory.change_device(device, change, now))


def _status(directory: StaffDirectory, person: str) -> str:
    return next(one.status for one in directory.of_person(person).persons if one.id == person)
