"""The kinds of step beside a request and a channel: one file a family, one struct a kind.

A family is a union of structs told apart by `kind`. To add a kind, write the struct and name it
in the union; a family of its own is one more field of `scenario.Step`.
"""

from acl_engine.replay.steps.admin import Admin
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.replay.steps.events import Call, Leaves, RecoveryCodes, Scan, Shift
from acl_engine.replay.steps.faults import Fault
from acl_engine.replay.steps.http import Http
from acl_engine.replay.steps.lines import Callback, Delivered, Line
from acl_engine.replay.steps.log_tampering import LogTampering
from acl_engine.replay.steps.past import PastWork, SoldList
from acl_engine.replay.steps.tampering import Change, Delete

Event = (
    Call | Shift | Scan | Leaves | PastWork | SoldList | RecoveryCodes | Callback | Delivered | Line
)
Tamper = Change | Delete | LogTampering

__all__ = ["Admin", "Deed", "Event", "Fault", "Http", "Scene", "Tamper"]
