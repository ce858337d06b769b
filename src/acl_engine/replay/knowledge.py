"""What each actor knows: only what the returned bytes reveal, checked against the seed's truth.

INVARIANTS
- Knowledge only grows. Candidates of a fact only shrink.
- A fact counts as known when one candidate is left. What is shown but untrue counts for nothing.
- Views of one field join: the positions known are the union over all views.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acl_engine.domain.pack import Kind
from acl_engine.masking.strength import candidates

# Fields of a record that together are a person's address; the last one makes it exact.
ADDRESS = ("city", "area", "unit")
_KINDS = {
    "recipient_phone": Kind.PHONE,
    "sender_phone": Kind.PHONE,
    "recipient_name": Kind.NAME,
    "sender_name": Kind.NAME,
    "id_number": Kind.ID_NUMBER,
}


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One field of one record (its number), or `password`, `totp`, `device` of an account."""

    subject: str
    field: str


@dataclass
class Mind:
    """One actor's knowledge. `views`: every form in which a fact was seen; `links`: from a phone
    number to the records that were found to belong to it."""

    views: dict[Fact, set[str]] = field(default_factory=dict)
    left: dict[Fact, int] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    acts: set[tuple[str, str]] = field(default_factory=set)

    def learn(self, fact: Fact, shown: str, truth: str, city: str | None = None) -> None:
        """Take one view of a fact in. `truth` decides whether it teaches anything."""
        if not shown or not truth:
            return
        seen = self.views.setdefault(fact, set())
        seen.add(shown)
        if shown == truth:
            self.left[fact] = 1
            return
        kind = _KINDS.get(fact.field)
        if kind is None or "*" not in shown:
            return
        left = candidates(kind, sorted(seen), city=city.removesuffix("市") if city else None)
        self.left[fact] = min(left, self.left.get(fact, left))

    def link(self, phone: str, number: str) -> None:
        self.links.add((phone, number))

    def take(self, other: "Mind", facts: Iterable[Fact]) -> None:
        """What a channel carried: the facts as the other knows them."""
        for fact in facts:
            if fact in other.views:
                self.views.setdefault(fact, set()).update(other.views[fact])
            if fact in other.left:
                self.left[fact] = min(other.left[fact], self.left.get(fact, other.left[fact]))
        carried = {fact.subject for fact in facts}
        self.links |= {pair for pair in other.links if pair[1] in carried}

    def merge(self, other: "Mind") -> None:
        """All that the other knows, for an assumed breach."""
        self.take(other, list(other.views) + list(other.left))
        self.links |= other.links

    def knows(self, fact: Fact) -> bool:
        return self.left.get(fact) == 1

    def copy(self) -> "Mind":
        return Mind(
            {fact: set(seen) for fact, seen in self.views.items()},
            dict(self.left),
            set(self.links),
            set(self.acts),
        )

    def value(self, fact: Fact, truths: Mapping[Fact, str]) -> str | None:
        """The value, if it is known."""
        return truths.get(fact) if self.knows(fact) else None
