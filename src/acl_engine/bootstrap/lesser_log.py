"""The log of a company that kept less, as its pack's settings say. Such a pack is replay's alone:
anywhere else `Engine.open` refuses it.
"""

from dataclasses import replace
from typing import Any, cast

from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.errors import AuditUnavailable
from acl_engine.domain.pack_settings import AuditSettings
from acl_engine.domain.parts import Part
from acl_engine.domain.ports import SharedLog
from acl_engine.storage.database import Database
from acl_engine.storage.group_commit import alone


def as_kept(audit: SharedLog, settings: AuditSettings, database: Database) -> SharedLog:
    """The log itself, or what the settings leave of it."""
    if not settings.whom:
        audit = cast(SharedLog, _OfNobody(audit))
    return audit if settings.first else cast(SharedLog, _AnswersAnyway(audit, database))


class _AnswersAnyway:
    """A record that cannot be written is no reason not to answer."""

    def __init__(self, audit: SharedLog, database: Database) -> None:
        self._audit, self._database = audit, database

    def append(self, entry: AuditEntry, part: Part[Any, Any] | None = None) -> Receipt:
        try:
            return self._audit.append(entry, part)
        except AuditUnavailable:
            if part is not None:
                alone(self._database, part)
            return Receipt(-1, "")


class _OfNobody:
    """That somebody looked is written down, and not at whom."""

    def __init__(self, audit: SharedLog) -> None:
        self._audit = audit

    def append(self, entry: AuditEntry, part: Part[Any, Any] | None = None) -> Receipt:
        kept = replace(entry, subjects=(), areas=(), block="", digest="")
        return self._audit.append(kept, part)
