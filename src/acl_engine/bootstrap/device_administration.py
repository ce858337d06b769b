"""Administering devices: enrol, bind to one person, lease for a shift, revoke when lost."""

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.domain.accounts import Device
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import DeviceChange
from acl_engine.domain.text import Text

DEVICE_TAKEN = Text(
    "administration-second-device",
    "人员 `{person}` 已绑定 {device_class} 设备 `{device}`",
    "person `{person}` is bound to the {device_class} device `{device}`",
    "先撤销旧设备",
    "revoke that one first",
)


class DeviceAdministration:
    """The acts of `acl device`. `by` is the login of who acts: nobody binds one to themself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._directory = desk.directory
        self._roles = desk.rules.settings.device_administrators

    def enrol(self, device: Device, by: str) -> None:
        act = Act("device.enrol", (device.id,), by)
        self._desk.permit(act, self._roles, None)
        self._desk.do(act, lambda now: self._directory.add_device(device))

    def bind(self, device: str, person: str, by: str) -> None:
        """Bind to a person who holds no other active device of the class; lease it next."""
        act = Act("device.bind", (device,), by)
        self._desk.permit(act, self._roles, person)
        tools = {one.id: one for one in self._directory.staff().devices}
        wanted = tools.get(device)
        for one in tools.values():
            same = wanted is not None and one.device_class == wanted.device_class
            if same and one.id != device and one.person == person and one.status == "active":
                params = {"person": person, "device": one.id, "device_class": one.device_class}
                raise InputError(DEVICE_TAKEN.of(**params))
        change = DeviceChange(person=person, lease_until=0)
        self._desk.do(act, lambda now: self._directory.change_device(device, change, now))

    def lease(self, device: str, until: int, by: str) -> None:
        """Lease until a time (epoch seconds); no session on the device outlives it."""
        self._change_device("device.lease", device, DeviceChange(lease_until=until), by)

    def revoke(self, device: str, status: str, by: str) -> None:
        """`status` lost or revoked: the key is dead, and so are its holder's sessions."""
        self._change_device("device.revoke", device, DeviceChange(status=status), by)

    def _change_device(self, action: str, device: str, change: DeviceChange, by: str) -> None:
        act = Act(action, (device,), by)
        self._desk.permit(act, self._roles, None)
        self._desk.do(act, lambda now: self._directory.change_device(device, change, now))
