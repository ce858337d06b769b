"""What a profile, or the join of several, leaves to guess of a usual phone, name and ID number."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from acl_engine.domain.pack import Kind
from acl_engine.domain.text import Text
from acl_engine.masking.mask import mask, parse, shown
from acl_engine.masking.profiles import profile
from acl_engine.masking.strength import Known, candidates, name_quantiles, phone_quantiles

# Invented values of the usual shape.
_SAMPLES = {
    Kind.PHONE: "13812345678",
    Kind.NAME: "张小丰",
    Kind.ID_NUMBER: "440306209901011234",
}
_QUANTILES = (0.1, 0.5, 0.9)
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
    """Candidates left of one field: tenth percentile, median, ninetieth, over people.

    For an ID number whose check digit shows, over the eleven check digits. `view` is a sample.
    """

    field: Kind
    view: str
    low: int
    median: int
    high: int


def strength(profiles: Sequence[str], known: Known | None = None) -> tuple[FieldStrength, ...]:
    """The strength of the join of the profiles. Raises InputError for one that does not exist."""
    known = known or Known()
    rows = []
    for kind, sample in _SAMPLES.items():
        positions = _positions(kind, sample, profiles)
        match kind:
            case Kind.PHONE:
                left = phone_quantiles(positions, _QUANTILES, known.city)
            case Kind.NAME:
                left = _name(positions, known)
            case _:
                left = _id(positions, known)
        rows.append(FieldStrength(kind, mask(kind, sample, profiles), left[0], left[1], left[2]))
    return tuple(rows)


def _positions(kind: Kind, sample: str, profiles: Sequence[str]) -> frozenset[int]:
    shape = parse(kind, sample)
    if shape is None:
        raise ValueError(kind)
    return frozenset().union(*(shown(kind, shape, profile(one)) for one in profiles))


def _name(positions: frozenset[int], known: Known) -> tuple[int, ...]:
    if 0 not in positions:
        return (known.population,) * len(_QUANTILES)
    return name_quantiles(len(positions) - 1, _QUANTILES, known)


def _id(positions: frozenset[int], known: Known) -> tuple[int, ...]:
    counts = []
    for check in "0123456789X":
        number = _SAMPLES[Kind.ID_NUMBER][:17] + check
        view = "".join(c if at in positions else "*" for at, c in enumerate(number))
        counts.append(candidates(Kind.ID_NUMBER, [view], known=known))
    return min(counts), median_low(counts), max(counts)
