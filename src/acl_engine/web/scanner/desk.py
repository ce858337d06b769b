"""What a courier does at the page: load list, look, call, scan, ask, answer.

INVARIANTS
- Everything goes through the engine's own doors, with the person's visit, as it would over HTTP.
- No number is ever in the page: a call is a capability that is used up where it was given.
- What is offered beside a record that was shown is what the policy permits now; beside one that
  was not shown it is what the role may ever do, so that the buttons tell nothing.
"""

from collections.abc import Iterable

from starlette.responses import Response

from acl_engine.bootstrap.service import Service
from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.request import Action, Query
from acl_engine.domain.text import Message, Text
from acl_engine.domain.view import View
from acl_engine.web.parameters import Parameters
from acl_engine.web.scanner.coming import Coming
from acl_engine.web.scanner.menu import PARCEL, STAGES
from acl_engine.web.scanner.pages import CASE, At, Card, card, show

_PAGE = 20
_ACTS = (Action.DIAL, Action.SCAN_OUT, Action.SCAN_IN)
_ANSWERS = ("approve", "refuse", "withdraw")

OUTCOMES = {
    "answered": Text("scanner.answered", "通话已接通", "the call was answered"),
    "busy": Text("scanner.busy", "对方忙", "the line is busy"),
    "no-answer": Text("scanner.no-answer", "无人接听", "nobody answered"),
    "off": Text("scanner.off", "对方已关机", "the phone is off"),
}
CALLED = Text("scanner.called", "呼叫已结束", "the call is over")
SCANNED_OUT = Text("scanner.scanned-out", "已交出 {key}", "{key} was handed over")
SCANNED_IN = Text("scanner.scanned-in", "已接收 {key}", "{key} was taken over")
ASKED = Text(
    "scanner.asked",
    "申请已提交（编号 {case}）",
    "the request was sent (case {case})",
    "由另一位当班人员批准；到时无人批准即为拒绝",
    "another person on duty answers; silence is a denial",
)
STAGE_AFTER = {
    "ASKED": Text("scanner.case-asked", "已同意，还需另一人同意", "agreed; one more must agree"),
    "GRANTED": Text("scanner.case-granted", "已批准", "granted"),
    "REFUSED": Text("scanner.case-refused", "已拒绝", "refused"),
    "WITHDRAWN": Text("scanner.case-withdrawn", "已撤回", "withdrawn"),
}
NO_SUCH = Text("scanner.no-such-button", "本页没有这个按钮", "this page has no such button")


class Desk:
    """The handlers; all raise AccessDenied, InputError, StoreError."""

    def __init__(self, service: Service, coming: Coming) -> None:
        self._engine, self._pack, self._coming = service.engine, service.pack, coming

    # --- seeing ----------------------------------------------------------------------------------

    def load(self, at: At, given: Parameters) -> Response:
        """The parcels of one stage: those that may be called now first, with what they show."""
        lists = at.menu.lists
        if not lists:
            return self.scan(at, given)
        stage = given.get("stage") if given.get("stage") in lists else lists[0]
        query = Query(
            Action.SEARCH,
            PARCEL,
            by={"stage": stage or ""},
            limit=_PAGE,
            after=given.get("after") or None,
        )
        answer = self._engine.ask(at.token, query)
        cards = [self._offering(at, view, (Action.DIAL,)) for view in answer.views]
        return show(
            at,
            "scanner_load.html.j2",
            stage=stage,
            stages=[(one, STAGES[one].of()) for one in lists],
            next_stops=[one for one in cards if one.may],
            rest=[one for one in cards if not one.may],
            after=answer.next,
        )

    def scan(self, at: At, given: Parameters) -> Response:
        return show(at, "scanner_scan.html.j2")

    def look(self, at: At, given: Parameters) -> Response:
        """One parcel: what this person may see of it, or the denial; and what may be done."""
        key, purpose = given.text("key").strip(), given.get("purpose") or None
        query = Query(Action.READ, PARCEL, key=key, purpose=purpose)
        try:
            answer = self._engine.ask(at.token, query)
        except AccessDenied as denied:
            may = frozenset({Action.SCAN_IN} & at.menu.acts)
            shown = Card(key, "", (), may, purpose or "")
            return show(
                at, "scanner_parcel.html.j2", status=403, message=denied.message, card=shown
            )
        (view,) = answer.views
        found = self._offering(at, view, _ACTS, purpose or "")
        return show(at, "scanner_parcel.html.j2", message=None, card=found)

    # --- doing -----------------------------------------------------------------------------------

    def dial(self, at: At, given: Parameters) -> Response:
        """Call the parcel's contact: the right to one call, and the call."""
        purpose = given.get("purpose") or None
        query = Query(Action.DIAL, PARCEL, key=given.text("key"), purpose=purpose)
        right = self._engine.dial(at.token, query)
        done = self._engine.call(at.token, right.token)
        return self._said(at, OUTCOMES.get(done.outcome, CALLED).of())

    def act(self, at: At, given: Parameters) -> Response:
        """Hand a parcel over to a unit, or take it over."""
        key, out = given.text("key"), given.text("act") == Action.SCAN_OUT
        params = {"to_unit": given.text("to_unit").strip()} if out else {}
        action = Action.SCAN_OUT if out else Action.SCAN_IN
        self._engine.act(at.token, Query(action, PARCEL, key=key, params=params))
        return self._said(at, (SCANNED_OUT if out else SCANNED_IN).of(key=key))

    # --- asking and answering --------------------------------------------------------------------

    def ask(self, at: At, given: Parameters) -> Response:
        done = self._engine.approvals.ask(at.token, given.text("key"), given.text("purpose"))
        return self._said(at, ASKED.of(case=done.made))

    def cases(self, at: At, given: Parameters) -> Response:
        """What waits for this person's answer, what they asked for, and what was granted."""
        asked = self._engine.approvals.cases(at.token, "ASKED")
        granted = self._engine.approvals.cases(at.token, "GRANTED")
        cards = [self._offering(at, view, _ANSWERS) for view in asked.views]
        return show(
            at,
            "scanner_cases.html.j2",
            waiting=[one for one in cards if "refuse" in one.may],
            mine=[one for one in cards if "refuse" not in one.may],
            granted=[self._granted(view) for view in granted.views],
            renew=self._coming.login_address(at.form, renew=True),
        )

    def answer(self, at: At, given: Parameters) -> Response:
        desk = self._engine.approvals
        ways = {"approve": desk.approve, "refuse": desk.refuse, "withdraw": desk.withdraw}
        way = ways.get(given.text("answer"))
        if way is None:
            return self._said(at, NO_SUCH.of(), 422)
        done = way(at.token, given.text("case"))
        return self._said(at, STAGE_AFTER[done.made].of())

    # --- showing ---------------------------------------------------------------------------------

    def _said(self, at: At, message: Message, status: int = 200) -> Response:
        return show(at, "scanner_said.html.j2", status=status, message=message)

    def _offering(self, at: At, view: View, actions: Iterable[str], purpose: str = "") -> Card:
        """A card with those of the actions that are permitted on this record now."""
        may = (
            one
            for one in actions
            if (view.resource == CASE or one in at.menu.acts)
            and self._engine.permits(
                at.who, Query(one, view.resource, key=view.handle, purpose=purpose or None)
            )
        )
        return card(self._pack, view, may, purpose)

    def _granted(self, view: View) -> Card:
        """A grant, led on to the parcel that it is for."""
        made = card(self._pack, view, purpose=view.fields.get("purpose", ""))
        return Card(view.fields.get("object", ""), made.mark, made.fields, made.may, made.purpose)
