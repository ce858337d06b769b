"""What each actor knows: only what the returned bytes reveal, checked against the seed's truth.

INVARIANTS
- Knowledge only grows. Candidates of a fact only shrink.
- A fact counts as known when one candidate is left. What is shown but untrue counts for nothing.
- Views of one field join: the positions known are the union over all views.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind
from acl_engine.masking.strength import COUNTED, candidates

# Fields of a record that together are a person's address; the last one makes it exact.
ADDRESS = ("city", "area", "unit")


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One field of one record (its number), or `password`, `totp`, `device` of an account."""

    subject: str
    field: str


@dataclass
class Mind:
    """One actor's knowledge. `views`: every form in which a fact was seen; `links`: from a phone
    number to the records that were found to belong to it; `kept`: values out of HTTP answers;
    `kinds`: what kind of value each field holds, so that masks of it can be counted."""

    views: dict[Fact, set[str]] = field(default_factory=dict)
    left: dict[Fact, int] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    acts: set[tuple[str, str]] = field(default_factory=set)
    cities: dict[Fact, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def learn(self, fact: Fact, shown: str, truth: str, city: str | None = None) -> None:
        """Take one view of a fact in. `truth` decides whether it teaches anything."""
        if not shown or not truth or not _true(shown, truth):
            return
        self.views.setdefault(fact, set()).add(shown)
        if city:
            self.cities[fact] = city.removesuffix("市")
        if shown == truth:
            self.left[fact] = 1
        else:
            self._narrow(fact)

    def _narrow(self, fact: Fact) -> None:
        """Count anew what all views of a fact leave together: two masks may join to the whole."""
        kind = self.kinds.get(fact.field)
        masked = sorted(view for view in self.views.get(fact, ()) if "*" in view)
        if kind not in COUNTED or not masked or self.left.get(fact) == 1:
            return
        city = self.cities.get(fact)
        try:
            left = candidates(kind, masked, city=city)
        except InputError:
            # Masks of different shapes do not join: the most telling one alone counts.
            left = min(candidates(kind, [view], city=city) for view in masked)
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
            if fact in other.cities:
                self.cities[fact] = other.cities[fact]
            self._narrow(fact)
        carried = {fact.subject for fact in facts}
        self.links |= {pair for pair in other.links if pair[1] in carried}

    def merge(self, other: "Mind") -> None:
        """All that the other knows, for an assumed breach."""
        self.take(other, list(other.views) + list(other.left))
        self.links |= other.links
        self.kept = other.kept | self.kept

    def knows(self, fact: Fact) -> bool:
        return self.left.get(fact) == 1

    def copy(self) -> "Mind":
        return Mind(
            {fact: set(seen) for fact, seen in self.views.items()},
            dict(self.left),
            set(self.links),
            set(self.acts),
            dict(self.cities),
            dict(self.kept),
            self.kinds,
        )

    def numbers(self, key_field: str) -> list[str]:
        """Every record number of that name that is known."""
        return sorted(
            fact.subject
            for fact, left in self.left.items()
            if fact.field == key_field and left == 1
        )


def _true(shown: str, truth: str) -> bool:
    """Whether a view can be one of the true value. A mask may be longer or shorter than it."""
    if "*" not in shown:
        return shown == truth
    if len(shown) != len(truth):
        return True
    return all(left in ("*", right) for left, right in zip(shown, truth, strict=True))
