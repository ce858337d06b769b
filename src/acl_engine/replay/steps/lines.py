"""Telephone lines: what the network knows of a number, and who rings an intermediate number."""

from collections.abc import Callable
from typing import Literal

from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.storage import unsafe
from acl_engine.storage.dials import DialStore

# Where a caller is stopped: at no step of the lookup line.
LINE = "call"


class Line(Deed, frozen=True, tag="line"):
    """From now on a call to the number `of` is `becomes`: what the caller hears."""

    of: str
    becomes: Literal["answered", "busy", "no-answer", "off"]

    def do(self, scene: Scene) -> Outcome:
        scene.stage.switchboard.line_is(scene.fill(self.of), self.becomes)
        return DONE


class Delivered(Deed, frozen=True, tag="delivered"):
    """The company's own system records that a parcel was signed for."""

    parcel: str

    def do(self, scene: Scene) -> Outcome:
        where = {"waybill_no": scene.fill(self.parcel)}
        unsafe.change_rows(scene.stage.database, "waybills", where, {"stage": "DELIVERED"})
        return DONE


class Callback(Deed, frozen=True, tag="callback"):
    """Somebody with the number `caller` rings the intermediate number last bound for a parcel.

    For `acts(who, callback, PARCEL)`: whoever is put through has its person on the line.
    """

    caller: str
    parcel: str

    def do(self, scene: Scene) -> Outcome:
        stage, parcel = scene.stage, scene.fill(self.parcel)
        bound = DialStore(stage.database).kept(stage.now, waybill_no=parcel)
        if not bound:
            return Outcome(False, LINE, ("call-ends",), reason="dial.unbound", named=True)
        reference = bound[-1].binding.provider_ref
        rung = stage.switchboard.ring_back(scene.fill(self.caller), reference)
        controls = (rung.kept_by,) if rung.kept_by else ()
        return Outcome(not controls, LINE, controls, reason=rung.to, named=True)

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "callback", self.parcel
