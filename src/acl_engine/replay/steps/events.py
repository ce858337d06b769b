"""Events: what happens outside and the company's own systems record, as their integrations do."""

from typing import Literal

from acl_engine.bootstrap.administration import Administration
from acl_engine.domain.request import Query
from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.storage.shifts import record_shift
from acl_engine.storage.tickets import record_contact

_HOUR = 3600


class Call(Deed, frozen=True, tag="call"):
    """A telephone call, with the number that the network reported."""

    id: str
    caller: str

    def do(self, scene: Scene) -> Outcome:
        record_contact(
            scene.stage.database,
            contact=self.id,
            kind="call",
            made_by="svc-telephony",
            at=scene.stage.now,
            phone_index=scene.stage.phone_index(scene.fill(self.caller)),
        )
        return DONE


class Shift(Deed, frozen=True, tag="shift"):
    """The roster desk records that `account` works for `hours` from now on, made by `made_by`."""

    account: str
    made_by: str
    hours: int = 8

    def do(self, scene: Scene) -> Outcome:
        now, person = scene.stage.now, scene.stage.person(scene.account(self.account))
        record_shift(
            scene.stage.database,
            person=person.person,
            unit=person.member.unit,
            starts=now,
            ends=now + self.hours * _HOUR,
            made_by=scene.account(self.made_by),
        )
        return DONE


class Scan(Deed, frozen=True, tag="scan"):
    """An honest scan, through the line like every other: the counterpart's at a handover."""

    account: str
    way: Literal["in", "out"]
    parcel: str
    to_unit: str = ""

    def do(self, scene: Scene) -> Outcome:
        params = {"to_unit": self.to_unit} if self.to_unit else {}
        query = Query(f"scan_{self.way}", "waybill", scene.fill(self.parcel), params=params)
        return scene.stage.work(scene.account(self.account), query)


class RecoveryCodes(Deed, frozen=True, tag="recovery-codes"):
    """`account` makes a set of recovery codes with the authenticator at hand, and prints them."""

    account: str

    def do(self, scene: Scene) -> Outcome:
        stage, login = scene.stage, scene.account(self.account)

        def make(desk: Administration) -> None:
            stage.papers[login] = desk.secrets.recovery_codes(login, stage.code(login))[0]

        return stage.administer(make)


class Leaves(Deed, frozen=True, tag="leaves"):
    """Human resources record, by one of their own, that a person has left."""

    account: str
    by: str

    def do(self, scene: Scene) -> Outcome:
        leaver, by = scene.stage.person(scene.account(self.account)), scene.account(self.by)
        return scene.stage.administer(lambda desk: desk.leave(leaver.person, by))
