"""Phone numbers: mobile, landline, service, Hong Kong, Macau and Taiwan, with or without extension.

Every view is a suffix of the subscriber's number, so that any two views nest and join to the
larger (a prefix beside a suffix is a 3+4 mask again: 55 candidates). The area code counts as known
(it stands in the address), so the digits that a view must leave hidden are the subscriber's own.
An extension is hidden always. Source of the six: GB/T 41833.
"""

import re
from collections.abc import Collection

from acl_engine.masking.cities import digits_affordable
from acl_engine.masking.shape import Shape

HIDDEN_AT_LEAST = 6

_EXT = r"(?:(?:转|分机|ext\.?|x|#|-|,|;|p)(?P<ext>[\d*]{1,6}))?"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (form, re.compile(pattern + r"\Z", re.IGNORECASE))
    for form, pattern in (
        ("mobile", r"(?:\+?86-?|0086-?)?(?P<local>[1*][3-9*][\d*]{9})" + _EXT),
        ("service", r"(?P<area>[48*][0*][0*])-?(?P<local>[\d*]{7})" + _EXT),
        (
            "landline",
            r"(?:\+?86-?|0086-?)?(?P<area>0(?:10|2\d)|\*{3})-?(?P<local>[\d*]{7,8})" + _EXT,
        ),
        (
            "landline",
            r"(?:\+?86-?|0086-?)?(?P<area>0[3-9]\d\d|\*{4})-?(?P<local>[\d*]{7,8})" + _EXT,
        ),
        ("overseas", r"(?:\+|00)(?P<area>852|853|886|\*{3})-?(?P<local>[\d*]{8,9})" + _EXT),
        ("local", r"(?P<local>[\d*]{7,8})" + _EXT),
    )
)
_GAPS = re.compile(r"(?<=[\d*()+]) ?[ ().] ?(?=[\d*()])|^\(|(?<=\d) (?=转|分机|ext|x|#)")
_DIAL = re.compile(r"(?<=[转机])[: ]?")


def parse(text: str) -> Shape | None:
    """The number in canonical writing: no country code for the mainland, `-` before parts.

    Parts: the subscriber's number, then the extension if there is one. None: not one number.
    """
    packed = text if text.isdigit() else _pack(text)
    for form, pattern in _FORMS:
        if match := pattern.match(packed):
            return _shape(form, match.groupdict())
    return None


def _pack(text: str) -> str:
    text = re.sub(r"\((\+?\d{2,4})\)", r"\1-", text)
    text = _DIAL.sub("", _GAPS.sub("", text))
    # "138-0013-8000" is one number; the hyphen before a last group of an eleven-digit whole is not
    # an extension's.
    groups = re.fullmatch(r"((?:\+?86-?)?)([1*][3-9*][\d*])-([\d*]{4})-([\d*]{4})", text)
    return "".join(groups.groups()) if groups else text


def _shape(form: str, groups: dict[str, str | None]) -> Shape:
    text = ""
    structure: set[int] = set()
    if area := groups.get("area"):
        text = ("+" if form == "overseas" else "") + area + "-"
        structure = {i for i, c in enumerate(text) if c in "+-"}
    parts = [(len(text), len(text) + len(groups["local"] or ""))]
    text += groups["local"] or ""
    if ext := groups.get("ext"):
        structure.add(len(text))
        parts.append((len(text) + 1, len(text) + 1 + len(ext)))
        text += "-" + ext
    return Shape(form, text, tuple(parts), frozenset(structure))


def shown(shape: Shape, first: int, last: int, cities: Collection[str] = ()) -> frozenset[int]:
    """The last `last` digits of the subscriber's number, never leaving fewer than six hidden.

    Fewer where one of the `cities` that the number may belong to cannot afford so many. `first`
    digits too for a mobile number: only the flagged legacy profile asks for that.
    """
    start, end = shape.parts[0]
    suffix = min(last, digits_affordable(cities), max(0, end - start - HIDDEN_AT_LEAST))
    kept = set(range(end - suffix, end))
    if first and shape.form == "mobile":
        kept |= set(range(start, start + first))
    return frozenset(kept)
