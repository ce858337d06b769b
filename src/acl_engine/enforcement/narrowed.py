"""What a device without a key may do, whatever its person may do elsewhere: scan, and see W and R.

INVARIANTS
- Looks by key or list, and the two scans; every other act, and any field but those of the setting
  `login.legacy_shows`, is refused by name. Nothing is passed to an application that enforces alone.
- It narrows only: what the policy denies stays denied.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from acl_engine.domain.accounts import LEGACY
from acl_engine.domain.decision import Decision
from acl_engine.domain.pack_settings import LoginSettings
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action

SCANS = frozenset({Action.SCAN_OUT, Action.SCAN_IN})
OPEN = frozenset({Action.READ, Action.SEARCH}) | SCANS
CONTROL = "legacy-scope"


def narrow(who: Principal, settings: LoginSettings) -> bool:
    """Whether this session is on a device without a key, and narrowed."""
    return who.device_class == LEGACY and settings.legacy_confined


def narrowed(decision: Decision, shows: Sequence[str]) -> Decision:
    """The decision with no field but these."""
    left = {name: grant for name, grant in decision.grants.items() if name in shows}
    return replace(decision, grants=MappingProxyType(left))


def refusal(action: Action, asked: Sequence[str], shows: Sequence[str]) -> str:
    """Why an old scanner may not ask this, as a code; '': it may."""
    if action not in OPEN:
        return "legacy.act"
    return "legacy.field" if any(one not in shows for one in asked) else ""
