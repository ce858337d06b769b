"""How many values still fit what is shown: exact, for one view and for the join of several.

What the viewer knows besides counts against the mask: the city (it stands in the address), the
region of an ID number, the range of birthdays of the living. Where an assumption is needed it is
the one that leaves fewer candidates.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache, reduce

from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Kind
from acl_engine.domain.text import Text
from acl_engine.masking.mask import parse
from acl_engine.masking.segments import by_city, of_city
from acl_engine.masking.shape import STAR, clean
from acl_engine.masking.surnames import SHARE

COUNTED = frozenset({Kind.PHONE, Kind.NAME, Kind.ID_NUMBER, Kind.CODE, Kind.PLATE})

NOT_COUNTED = Text(
    "strength-not-counted",
    "无法计算 `{kind}` 类字段的剩余可能数",
    "candidates are not counted for fields of kind `{kind}`",
    "可计算：{known}",
    "counted: {known}",
)
NOT_ONE_VALUE = Text(
    "strength-not-one-value",
    "这些 `{kind}` 视图不属于同一个值",
    "these views of kind `{kind}` are not of one value",
    "逐个值计算",
    "count each value by itself",
)

# Adults of 2026 up to eighty: 62 years of birthdays. A wider range leaves more.
BORN = (date(1946, 1, 1), date(2007, 12, 31))
# GB 11643-1999: weight of digit i, and the check character of each residue.
_WEIGHTS = tuple(2**i % 11 for i in range(17, 0, -1))
_CHECK = "10X98765432"
# People among whom a name is looked for: a district. Given-name characters in common use, as many
# as would be if all were equally frequent.
POPULATION = 1_000_000
_GIVEN = 300
_PLATE_LETTERS = 34  # ten digits, and letters without I and O
_ALL_SHARES = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """What the viewer knows besides the views."""

    city: str | None = None
    born: tuple[date, date] = BORN
    population: int = POPULATION


def candidates(
    kind: Kind, shown_views: Sequence[str], *, city: str | None = None, known: Known | None = None
) -> int:
    """How many values fit all the views of one value together; at least 1.

    Phones are counted by the segment table (of the city, where it is known), ID numbers by date
    range and check digit, names as people of a population, codes and plates by their alphabet. A
    view of which nothing is shown says nothing. Raises InputError for views that contradict each
    other, for a kind that is not counted, and for a city that is not in the table.
    """
    if kind not in COUNTED:
        raise InputError(NOT_COUNTED.of(kind=kind, known=", ".join(sorted(COUNTED))))
    known = known or Known(city)
    pattern = join(kind, shown_views)
    match kind:
        case Kind.PHONE:
            return max(1, _phones(pattern, known))
        case Kind.NAME:
            return max(1, _names(pattern, known))
        case Kind.ID_NUMBER:
            return max(1, _ids(pattern, known))
        case Kind.PLATE:
            return int(_PLATE_LETTERS ** pattern.count(STAR))
        case _:
            return int(10 ** pattern.count(STAR))


def join(kind: Kind, views: Iterable[str]) -> str:
    """One pattern that shows what any of the views shows; '' when none shows anything."""
    texts = [_canonical(kind, view) for view in views]
    texts = list(dict.fromkeys(text for text in texts if text.strip(STAR + "-+()·")))
    if len({len(text) for text in texts}) > 1:
        raise InputError(NOT_ONE_VALUE.of(kind=kind))
    return reduce(lambda one, other: _join(kind, one, other), texts) if texts else ""


def _canonical(kind: Kind, view: str) -> str:
    shape = parse(kind, clean(view))
    return shape.text if shape else ""


def _join(kind: Kind, one: str, other: str) -> str:
    out = ""
    for left, right in zip(one, other, strict=True):
        if STAR not in (left, right) and left != right:
            raise InputError(NOT_ONE_VALUE.of(kind=kind))
        out += right if left == STAR else left
    return out


def _fits(text: str, pattern: str) -> bool:
    return all(p in (STAR, c) for c, p in zip(text, pattern, strict=True))


# --- phones ---------------------------------------------------------------------------------


def _phones(pattern: str, known: Known) -> int:
    if pattern and (len(pattern) != 11 or pattern[0] not in "1*"):
        # A landline, an overseas or a service number: no table, every hidden digit is free. The
        # area code is known from the address, an extension is no part of the number.
        local = max(pattern.split("-"), key=len)
        return int(10 ** local.count(STAR))
    pattern = pattern or STAR * 11
    if STAR not in pattern:
        return 1
    tail = 10 ** pattern[7:].count(STAR)
    segments = _segments(pattern[:7], known.city)
    # Outside the table (an invented number, or the city guessed wrong): the tail alone counts.
    return int(max(1, segments) * tail)


def _segments(pattern: str, city: str | None) -> int:
    tables = [of_city(city)] if city else list(by_city().values())
    if pattern == STAR * 7:
        return sum(map(len, tables))
    return sum(_fits(str(segment), pattern) for table in tables for segment in table)


def phone_quantiles(
    shown: Iterable[int], quantiles: Sequence[float], city: str | None = None
) -> tuple[int, ...]:
    """Candidates left for a random number in its own (known) city, when these positions show.

    The quantiles are over numbers, not over cities: a crowded city counts as often as it has
    numbers. With `city`, over that city's numbers alone.
    """
    seen = set(shown)
    weights = _alike(tuple(sorted(at for at in seen if at < 7)), city)
    tail = 10 ** sum(at not in seen for at in range(7, 11))
    return tuple(_quantile(weights, one) * tail for one in quantiles)


def phone_quantiles_by_city(
    shown_in: Callable[[str], Iterable[int]], quantiles: Sequence[float]
) -> tuple[int, ...]:
    """As `phone_quantiles`, where each city shows positions of its own."""
    weights: Counter[int] = Counter()
    for city in by_city():
        seen = frozenset(shown_in(city))
        tail = 10 ** sum(at not in seen for at in range(7, 11))
        for size, many in _alike(tuple(sorted(at for at in seen if at < 7)), city).items():
            weights[size * tail] += many
    return tuple(_quantile(weights, one) for one in quantiles)


@cache
def _alike(head: tuple[int, ...], city: str | None) -> Counter[int]:
    """Size of a group of segments that look alike in a city -> segments in such groups."""
    weights: Counter[int] = Counter()
    for table in [of_city(city)] if city else by_city().values():
        if not head:
            weights[len(table)] += len(table)
            continue
        alike = Counter(tuple(str(segment)[at] for at in head) for segment in table)
        for size in alike.values():
            weights[size] += size
    return weights


def _quantile(weights: Counter[int], share: float) -> int:
    reached, total = 0, sum(weights.values())
    for size in sorted(weights):
        reached += weights[size]
        if reached >= share * total:
            return size
    return max(weights)


# --- identity numbers -------------------------------------------------------------------------


def _ids(pattern: str, known: Known) -> int:
    if pattern and STAR not in pattern:
        return 1
    if len(pattern) == 15:
        days = sum(_fits(text[2:], pattern[6:12]) for text, _ in _birthdays(known.born))
        return int(days * 10 ** pattern[12:].count(STAR))
    if len(pattern) != 18:
        # Nothing shown, or a permit: no more than a resident's number would leave.
        return len(_days(known.born)) * 1000 if not pattern else int(10 ** pattern.count(STAR))
    residues = _residues(pattern[6:14], pattern[14:17], known.born)
    if pattern[17] == STAR:
        return sum(residues.values())
    wanted = _CHECK.index(pattern[17])
    if STAR not in pattern[:6]:
        region = _weigh(pattern[:6], 0)
        return residues[(wanted - region) % 11]
    # The region is hidden but known (it is a place): whichever leaves fewest.
    return min(residues[one] for one in range(11))


@lru_cache(maxsize=256)
def _residues(birthday: str, sequence: str, born: tuple[date, date]) -> Counter[int]:
    """Birthdays and sequences that fit what shows, by the residue of their weighted digits."""
    days = Counter(
        residue
        for text, residue in _birthdays(born)
        if birthday == STAR * 8 or _fits(text, birthday)
    )
    orders = Counter(
        _weigh(text, 14) % 11
        for text in (f"{order:03}" for order in range(1000))
        if _fits(text, sequence)
    )
    both: Counter[int] = Counter()
    for day, many in days.items():
        for order, more in orders.items():
            both[(day + order) % 11] += many * more
    return both


def _weigh(digits: str, start: int) -> int:
    return sum(int(c) * _WEIGHTS[start + i] for i, c in enumerate(digits))


@cache
def _birthdays(born: tuple[date, date]) -> tuple[tuple[str, int], ...]:
    """Every day as it is written in the number, with the residue of its weighted digits."""
    texts = (day.isoformat().replace("-", "") for day in _days(born))
    return tuple((text, _weigh(text, 6) % 11) for text in texts)


@cache
def _days(born: tuple[date, date]) -> tuple[date, ...]:
    return tuple(_walk(*born))


def _walk(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


# --- names ------------------------------------------------------------------------------------


def _names(pattern: str, known: Known) -> int:
    """People of the population whose name fits. A surname that is not in the table is rare."""
    shape = parse(Kind.NAME, pattern)
    if shape is None or not pattern:
        return known.population
    if shape.form != "han":
        return 1 if STAR not in pattern else known.population // _GIVEN
    if STAR not in pattern:
        return 1
    surname = pattern[slice(*shape.parts[0])]
    share = _ALL_SHARES if STAR in surname else SHARE.get(surname, 1)
    given = sum(c != STAR for c in pattern[slice(*shape.parts[1])])
    return int(known.population * share // _ALL_SHARES // _GIVEN**given)


def name_quantiles(given_shown: int, quantiles: Sequence[float], known: Known) -> tuple[int, ...]:
    """People left for a random person whose surname shows, and `given_shown` characters more."""
    weights = Counter(dict.fromkeys(SHARE.values(), 0))
    for share in SHARE.values():
        weights[share] += share
    return tuple(
        max(1, known.population * _quantile(weights, one) // _ALL_SHARES // _GIVEN**given_shown)
        for one in quantiles
    )
