"""One value, masked: read its shape, join the positions the profiles show, hide the rest.

INVARIANTS
- A value whose shape is not known is hidden entirely.
- Masking is idempotent, and a profile that shows fewer positions never shows more text.
- Several profiles show the union of what each shows; for nested views that is the widest of them.
"""

import json
from collections.abc import Collection, Iterable
from functools import lru_cache

from acl_engine.domain.pack import Kind
from acl_engine.masking import address, code, freetext, idnumber, name, phone, trace
from acl_engine.masking.profiles import Profile, profile
from acl_engine.masking.shape import ALL_HIDDEN, Shape, clean, render


def mask(kind: Kind, value: str, profiles: Iterable[str], cities: Collection[str] = ()) -> str:
    """The value as the named profiles together show it; `***` when nothing may be shown.

    `cities`: where a phone is known to belong; none when nothing beside it tells. Raises
    InputError for a profile that does not exist.
    """
    rules = tuple([profile(one) for one in profiles])
    if kind is Kind.PLAIN:
        return _trace(value, rules)
    shape = parse(kind, clean(value))
    if shape is None:
        return ALL_HIDDEN
    if kind is Kind.FREE_TEXT:
        return render(shape, freetext.shown(shape, any(rule.scrub for rule in rules)))
    names = tuple([rule.id for rule in rules])
    return render(shape, _joined(kind, shape.form, shape.parts, names, tuple(cities)))


@lru_cache(maxsize=4096)
def _joined(
    kind: Kind,
    form: str,
    parts: tuple[tuple[int, int], ...],
    profiles: tuple[str, ...],
    cities: tuple[str, ...],
) -> frozenset[int]:
    """What the profiles show of every value whose parts stand so: no value is kept here."""
    shape = Shape(form, "", parts)
    return frozenset().union(*(shown(kind, shape, profile(one), cities) for one in profiles))


def parse(kind: Kind, text: str) -> Shape | None:
    """The shape of a canonical text (`shape.clean`), or None when it has none of this kind."""
    match kind:
        case Kind.PHONE:
            return phone.parse(text)
        case Kind.NAME:
            return name.parse(text)
        case Kind.ID_NUMBER:
            return idnumber.parse(text)
        case Kind.ADDRESS:
            return address.parse(text)
        case Kind.PLATE:
            return code.parse_plate(text)
        case Kind.CODE:
            return code.parse_code(text)
        case Kind.FREE_TEXT:
            return freetext.parse(text)
        case Kind.MONEY | Kind.NUMBER | Kind.PLAIN:
            return None


def shown(kind: Kind, shape: Shape, rule: Profile, cities: Collection[str] = ()) -> frozenset[int]:
    """The positions of the canonical text that one profile shows. Reads the shape, not the text."""
    match kind:
        case Kind.PHONE:
            return phone.shown(shape, rule.phone_first, rule.phone_last, cities)
        case Kind.NAME:
            return name.shown(shape, rule.name)
        case Kind.ID_NUMBER:
            return idnumber.shown(shape, rule.id_number)
        case Kind.ADDRESS:
            return address.shown(shape, rule.address)
        case Kind.PLATE:
            return code.plate_shown(shape, rule.plate_place)
        case Kind.CODE:
            return code.code_shown(shape, rule.code_last)
        case Kind.FREE_TEXT:
            return freetext.shown(shape, rule.scrub)
        case Kind.MONEY | Kind.NUMBER | Kind.PLAIN:
            return frozenset()


def _trace(value: str, rules: tuple[Profile, ...]) -> str:
    if not any(rule.trace for rule in rules):
        return ALL_HIDDEN
    events = trace.city_level(value)
    return ALL_HIDDEN if events is None else json.dumps(events, ensure_ascii=False)
