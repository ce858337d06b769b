"""One audit record as an OCSF 1.6 event, for a security team's own tools.

A look is a Datastore Activity (6005), a login an Authentication (3002), any other act an API
Activity (6003). The record's own hash goes along, so that an exported event leads back to its
place in the log. JSON escapes line ends: no value can forge a second event.
"""

from typing import Any

from acl_engine.domain.accountability import AuditEntry

VERSION = "1.6.0"
_LOOKS = frozenset("read search trace reverse_lookup count_by_phone aggregate verify".split())
# class uid, its category, activity id (Query=4, Logon=1, Other=99).
_LOOK, _LOGIN, _ACT = (6005, 6, 4), (3002, 3, 1), (6003, 6, 99)


def event(index: int, leaf: str, entry: AuditEntry) -> dict[str, Any]:
    """The event of a record; `leaf` is its hash in hex."""
    kind, category, activity = _class(entry.action)
    allowed = entry.effect == "allow"
    found: dict[str, Any] = {
        "class_uid": kind,
        "category_uid": category,
        "activity_id": activity,
        "type_uid": kind * 100 + activity,
        "time": entry.at,
        "severity_id": 1 if allowed else 3,
        "status_id": 1 if allowed else 2,
        "status_detail": entry.reason,
        "metadata": {
            "version": VERSION,
            "uid": f"{index}",
            "correlation_uid": entry.request,
            "product": {"name": "acl_engine", "vendor_name": "acl_engine"},
        },
        "actor": {
            "user": {"name": entry.account, "uid": entry.person, "type": entry.role},
            "session": {"uid": entry.session},
        },
        "src_endpoint": {"uid": entry.device, "name": entry.device},
        "unmapped": _rest(entry, leaf),
    }
    if kind == _ACT[0]:
        found["api"] = {"operation": entry.action}
    if kind == _LOGIN[0]:
        found["user"] = found["actor"]["user"]
    return found


def _class(action: str) -> tuple[int, int, int]:
    if action in _LOOKS:
        return _LOOK
    return _LOGIN if action == "login" else _ACT


def _rest(entry: AuditEntry, leaf: str) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "action": entry.action,
        "resource": entry.resource,
        "effect": entry.effect,
        "line": entry.line,
        "controls": list(entry.controls),
        "rule": entry.rule,
        "unit": entry.unit,
        "purpose": entry.purpose,
        "ticket": entry.ticket,
        "subjects": list(entry.subjects),
        "fields": list(entry.fields),
        "count": entry.count,
        "watermark": entry.watermark,
        "policy": entry.policy,
        "leaf": leaf,
    }
