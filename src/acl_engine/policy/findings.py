"""What a load found: refusals that stop it, and warnings that `compat` makes of some of them.

INVARIANTS
- A finding that would be read in a wider sense than casbin reads it is never only a warning.
- All findings of a load are raised together, in the order of the file.
"""

from acl_engine.domain.errors import PolicyError, PolicyErrors, Where
from acl_engine.domain.text import Message


class Findings:
    """Collects; `settle` raises PolicyErrors if anything was refused."""

    def __init__(self, *, compat: bool) -> None:
        self.compat = compat
        self.refused: list[PolicyError] = []
        self.warnings: list[PolicyError] = []

    def refuse(self, message: Message, where: Where) -> None:
        """What cannot be loaded in either mode."""
        self.refused.append(PolicyError(message, where))

    def doubt(self, message: Message, where: Where) -> None:
        """What casbin lets through and this engine refuses; with `compat` a warning."""
        (self.warnings if self.compat else self.refused).append(PolicyError(message, where))

    def warn(self, message: Message, where: Where) -> None:
        """What is allowed, and should be known."""
        self.warnings.append(PolicyError(message, where))

    def settle(self) -> None:
        if self.refused:
            raise PolicyErrors(_in_order(self.refused), _in_order(self.warnings))


def _in_order(found: list[PolicyError]) -> tuple[PolicyError, ...]:
    return tuple(sorted(found, key=lambda one: one.where or Where("")))
