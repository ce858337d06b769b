"""What a profile, or the join of several, leaves to guess of a usual phone, name and ID number."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median_low

from acl_engine.domain.pack import Kind
from acl_engine.domain.text import Text
from acl_engine.masking.mask import mask, parse, shown
from acl_engine.masking.profiles import profile
from acl_engine.masking.strength import (
    Known,
    candidates,
    name_quantiles,
    phone_quantiles,
    phone_quantiles_by_city,
)

# Invented values of the usual shape.
_SAMPLES = {
    Kind.PHONE: "13812345678",
    Kind.NAME: "张小丰",
    Kind.ID_NUMBER: "440306209901011234",
}
# A surname that is in no table leaves the fewest people.
_RARE_NAME = "龘小丰"
_QUANTILES = (0.0, 0.1, 0.5, 0.9)
# Under this many, the last digits of a phone are close to an identification: see `PICKUP_CODE`.
LEAST = 1000
PICKUP_CODE = Text(
    "strength-under-least",
    "`{field}`：中位数剩余 {left} 种，少于 {least} 种",
    "`{field}`: a median of {left} left, fewer than {least}",
    "改用更严的方案；取件时改用取件码",
    "take a stricter profile; at pickup, ask for the pickup code instead",
)


@dataclass(frozen=True, slots=True)
class FieldStrength:
    """Candidates left of one field: the fewest, tenth percentile, median, ninetieth, over people.

    For an ID number whose check digit shows, over the eleven check digits. `view` is a sample.
    """

    field: Kind
    view: str
    least: int
    low: int
    median: int
    high: int


def strength(
    profiles: Sequence[str], known: Known | None = None, *, everywhere: bool = False
) -> tuple[FieldStrength, ...]:
    """The strength of the join of the profiles. Raises InputError for one that does not exist.

    Without a city, a phone's digits are those of the profile as it is written; with one, or
    `everywhere` (each number in its own city), those that the city can afford.
    """
    known = known or Known()
    rows = []
    for kind, sample in _SAMPLES.items():
        cities = (known.city,) if known.city else ()
        positions = _positions(kind, profiles, cities)
        match kind:
            case Kind.PHONE if everywhere and not cities:
                left = phone_quantiles_by_city(
                    lambda city: _positions(Kind.PHONE, profiles, (city,)), _QUANTILES
                )
            case Kind.PHONE:
                left = phone_quantiles(positions, _QUANTILES, known.city)
            case Kind.NAME:
                left = _name(positions, known)
            case _:
                left = _id(positions, known)
        rows.append(FieldStrength(kind, mask(kind, sample, profiles, cities), *left))
    return tuple(rows)


def _positions(kind: Kind, profiles: Sequence[str], cities: Collection[str] = ()) -> frozenset[int]:
    shape = parse(kind, _SAMPLES[kind])
    if shape is None:
        raise ValueError(kind)
    return frozenset().union(*(shown(kind, shape, profile(one), cities) for one in profiles))


def _name(positions: frozenset[int], known: Known) -> tuple[int, ...]:
    if 0 not in positions:
        return (known.population,) * len(_QUANTILES)
    given = len(positions) - 1
    rarest = candidates(Kind.NAME, [_RARE_NAME[: 1 + given].ljust(3, "*")], known=known)
    return (rarest, *name_quantiles(given, _QUANTILES[1:], known))


def _id(positions: frozenset[int], known: Known) -> tuple[int, ...]:
    counts = []
    for check in "0123456789X":
        number = _SAMPLES[Kind.ID_NUMBER][:17] + check
        view = "".join(c if at in positions else "*" for at, c in enumerate(number))
        counts.append(candidates(Kind.ID_NUMBER, [view], known=known))
    return min(counts), min(counts), median_low(counts), max(counts)
