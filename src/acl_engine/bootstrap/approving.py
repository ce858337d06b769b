"""Approvals as an application calls them: every method walks the same door as every act.

A case is a record of type `approval`: it is listed and opened by the lookup line, so that whoever
may answer it sees it, and nobody else.
"""

from acl_engine.domain.request import Action, Query
from acl_engine.domain.view import Answer
from acl_engine.enforcement.acts import Acted, act
from acl_engine.enforcement.approvals import SOUND, WRONG
from acl_engine.enforcement.door import Door
from acl_engine.enforcement.lookup import lookup

CASE = "approval"


class Approving:
    """The desk of approvals over one engine. All raise AccessDenied, InputError, StoreError."""

    def __init__(self, door: Door) -> None:
        """Use `Engine.approvals`."""
        self._door = door

    def ask(
        self,
        token: str,
        key: str,
        purpose: str,
        *,
        resource: str = "waybill",
        ticket: str | None = None,
        urgent: bool = False,
    ) -> Acted:
        """Ask to look at one record for one purpose; `made` is the case's id.

        `urgent` breaks the glass: any second person with the right may answer, on duty or not; an
        alarm is raised, and the case is reviewed.
        """
        action = Action.BREAK_GLASS if urgent else Action.ASK
        return act(self._door, token, Query(action, resource, key, purpose=purpose, ticket=ticket))

    def approve(self, token: str, case: str, *, image: str | None = None) -> Acted:
        """Agree; `made` is the case's stage after it. Needs a fresh second factor.

        `image`: for an authority's request, the SHA-256 of its document as the approver holds it.
        """
        params = {"image": image} if image is not None else {}
        return act(self._door, token, Query(Action.APPROVE, CASE, case, params=params))

    def refuse(self, token: str, case: str) -> Acted:
        """One refusal ends the case."""
        return self._on(token, Action.REFUSE, case)

    def withdraw(self, token: str, case: str) -> Acted:
        """The asker takes it back, asked or granted."""
        return self._on(token, Action.WITHDRAW, case)

    def review(self, token: str, case: str, *, sound: bool) -> Acted:
        """What a third person found afterwards."""
        finding = SOUND if sound else WRONG
        return act(self._door, token, Query(Action.REVIEW, CASE, case, params={"finding": finding}))

    def cases(self, token: str, stage: str = "ASKED", *, due: bool = False) -> Answer:
        """The cases at a stage that this person may answer, asked for, or may review.

        `due`: those that are waiting for a review, whatever their stage.
        """
        by = {"sampled": "true", "reviewed": "false"} if due else {"stage": stage}
        return lookup(self._door, token, Query(Action.SEARCH, CASE, by=by))

    def open(self, token: str, case: str) -> Answer:
        """One case, with its paper."""
        return lookup(self._door, token, Query(Action.READ, CASE, case))

    def _on(self, token: str, action: Action, case: str) -> Acted:
        return act(self._door, token, Query(action, CASE, case))
