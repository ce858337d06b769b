"""The log of a company that kept less, as its pack's settings say. Such a pack is replay's alone:
anywhere else `Engine.open` refuses it.
"""

from dataclasses import replace
from typing import cast

from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.errors import StoreError
from acl_engine.domain.pack import AuditSettings
from acl_engine.domain.ports import AuditLog


def as_kept(audit: AuditLog, settings: AuditSettings) -> AuditLog:
    """The log itself, or what the settings leave of it."""
    if not settings.whom:
        audit = cast(AuditLog, _OfNobody(audit))
    return audit if settings.first else cast(AuditLog, _AnswersAnyway(audit))


class _AnswersAnyway:
    """A record that cannot be written is no reason not to answer."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def append(self, entry: AuditEntry) -> Receipt:
        try:
            return self._audit.append(entry)
        except StoreError:
            return Receipt(-1, "")


class _OfNobody:
    """That somebody looked is written down, and not at whom."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def append(self, entry: AuditEntry) -> Receipt:
        return self._audit.append(replace(entry, subjects=(), areas=(), block="", digest=""))
