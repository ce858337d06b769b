"""An administrator's act, good or bad, through the same desk as `acl account` and `acl device`."""

from collections.abc import Callable
from typing import Literal

from acl_engine.bootstrap.administration import Administration
from acl_engine.domain.accounts import Device
from acl_engine.domain.staff import Person
from acl_engine.replay.outcome import Outcome
from acl_engine.replay.steps.deed import Deed, Scene


class AdminDeed(Deed, frozen=True):
    """`by` is who acts: an actor of the file, or a login."""

    by: str

    def do(self, scene: Scene) -> Outcome:
        by = scene.account(self.by)
        return scene.stage.administer(lambda desk: self.at(desk, by, scene))

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        raise NotImplementedError

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        """The kind, and the account or device that it was done to."""
        what = getattr(self, "account", None) or getattr(self, "device", None)
        return str(self.__struct_config__.tag), account(what) if what else ""


class Hire(AdminDeed, frozen=True, tag="hire"):
    person: str
    name: str
    unit: str
    superior: str | None = None

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.hire(Person(self.person, self.name, self.unit, self.superior, "active"), by)


class Create(AdminDeed, frozen=True, tag="create"):
    """An account for a person, without a password."""

    login: str
    person: str
    role: str
    unit: str

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.create(self.login, self.person, self.role, self.unit, by)


class Move(AdminDeed, frozen=True, tag="move"):
    """Another role or unit."""

    account: str
    role: str | None = None
    unit: str | None = None

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.move(scene.account(self.account), self.role, self.unit, by)


class Suspend(AdminDeed, frozen=True, tag="suspend"):
    account: str

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.suspend(scene.account(self.account), by)


class Resume(AdminDeed, frozen=True, tag="resume"):
    account: str

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.resume(scene.account(self.account), by)


class Leave(AdminDeed, frozen=True, tag="leave"):
    """The person behind the account has left: all accounts, sessions and devices with them."""

    account: str

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.leave(scene.stage.person(scene.account(self.account)).person, by)


class Enrol(AdminDeed, frozen=True, tag="enrol"):
    """A new device. Its private key is the seed's for that id, so that a step can log in on it;
    a legacy_scanner has none, and its `adapter` signs."""

    device: str
    device_class: Literal["app", "pc", "legacy_scanner", "adapter"]
    unit: str
    adapter: str | None = None

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        key = None if self.adapter else scene.stage.device_public_key(self.device)
        new = Device(
            self.device, self.device_class, self.unit, None, key, "active", 0, self.adapter
        )
        desk.devices.enrol(new, by)


class Bind(AdminDeed, frozen=True, tag="bind"):
    device: str
    account: str

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.devices.bind(self.device, scene.stage.person(scene.account(self.account)).person, by)


class Lease(AdminDeed, frozen=True, tag="lease"):
    device: str
    hours: int

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.devices.lease(self.device, scene.stage.now + self.hours * 3600, by)


class Revoke(AdminDeed, frozen=True, tag="revoke"):
    """`status`: lost, or revoked for another cause."""

    device: str
    status: Literal["lost", "revoked"] = "revoked"

    def at(self, desk: Administration, by: str, scene: Scene) -> None:
        desk.devices.revoke(self.device, self.status, by)


Admin = Hire | Create | Move | Suspend | Resume | Leave | Enrol | Bind | Lease | Revoke
