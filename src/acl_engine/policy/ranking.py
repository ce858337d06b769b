"""Rows in the order in which they decide: the smallest rank that matches, whatever the effect.

Allow-override ranks the allow rows alone, deny-override the deny rows alone, allow-and-deny the
deny rows before the allow rows, and the priorities all rows in their order.
"""

from dataclasses import dataclass

from acl_engine.policy.casbin_model import Effect
from acl_engine.policy.casbin_rows import Policy

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows by rank, with their lines and whether each allows."""

    rows: list[Row]
    lines: list[int]
    allows: list[bool]


def ranked(effect: Effect, policy: Policy, ptype: str, columns: tuple[str, ...]) -> Ranked:
    """The rows that can decide."""
    rows, lines = policy.rows[ptype], policy.lines[ptype]
    if "eft" in columns:
        at = columns.index("eft")
        # What is neither (compat) decides nothing, as in casbin.
        allow = [i for i, row in enumerate(rows) if row[at] == "allow"]
        deny = [i for i, row in enumerate(rows) if row[at] == "deny"]
    else:
        allow, deny = list(range(len(rows))), []
    match effect:
        case Effect.ALLOW_OVERRIDE:
            order = allow
        case Effect.DENY_OVERRIDE:
            order = deny
        case Effect.ALLOW_AND_DENY:
            order = deny + allow
        case _:
            order = sorted(allow + deny)
    allowed = set(allow)
    return Ranked(
        [rows[i] for i in order], [lines[i] for i in order], [i in allowed for i in order]
    )
