"""Phone numbers: mobile, landline, service, Hong Kong, Macau and Taiwan, with or without extension.

Every view is a suffix of the subscriber's number, so that any two views nest and join to the
larger (a prefix beside a suffix is a 3+4 mask again: 55 candidates). The area code counts as known
(it stands in the address), so the digits that a view must leave hidden are the subscriber's own.
An extension is hidden always. Source of the six: GB/T 41833.
"""

import re
from collections.abc import Collection

from acl_engine.masking.cities import digits_affordable
from acl_engine.masking.shape import STAR, Shape

HIDDEN_AT_LEAST = 6

_EXT = r"(?:(?:转|分机|ext\.?|x|#|-|,|;|p)(?P<ext>[\d*]{1,6}))?"
_HOME = r"(?:\+?86-?|0086-?)?"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (form, re.compile(pattern + r"\Z", re.IGNORECASE))
    for form, pattern in (
        ("mobile", _HOME + r"(?P<local>[1*][3-9*][\d*]{9})" + _EXT),
        ("service", r"(?P<area>[48*][0*][0*])-?(?P<local>[\d*]{7})" + _EXT),
        ("landline", _HOME + r"(?P<area>0(?:10|2\d)|\*{3})-?(?P<local>[2-9*][\d*]{6,7})" + _EXT),
        ("landline", _HOME + r"(?P<area>0[3-9]\d\d|\*{4})-?(?P<local>[2-9*][\d*]{6,7})" + _EXT),
        ("overseas", r"(?:\+|00)(?P<area>852|853|886|\*{3})-?(?P<local>[\d*]{8,9})" + _EXT),
        ("local", r"(?P<local>[2-9*][\d*]{6,7})" + _EXT),
    )
)
# What is left of a number in any other writing once only its digits stand: the country code, and
# the area code without the 0 that is dialled inside the country.
_DIGITS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mobile", re.compile(r"(?:0086|86)?(?P<local>1[3-9*][\d*]{9})\Z")),
    (
        "landline",
        re.compile(r"(?:(?:0086|86)0?|0)(?P<area>10|2\d|[3-9]\d\d)(?P<local>[2-9]\d{6,7})\Z"),
    ),
    ("overseas", re.compile(r"(?:00)?(?P<area>852|853)(?P<local>[2-9]\d{7})\Z")),
    ("overseas", re.compile(r"(?:00)?(?P<area>886)0?(?P<local>[2-9]\d{7,8})\Z")),
    ("overseas", re.compile(r"0(?P<local>9\d{8})\Z")),  # Taiwan, as it is dialled there
)
_EXTENSION = re.compile(
    r"(?P<number>.*?\d)(?:转|分机|ext\.?|x|#|p|,+|;) ?:?(?P<ext>[\d*]{1,6})\Z", re.I
)
_FLOAT = re.compile(r"(?P<digits>\d{7,14})\.0+\Z")  # a number that passed through a spreadsheet
_EXPONENT = re.compile(r"[1-9](?:\.\d{1,12})?e\+?1[0-3]\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[1*][3-9*][\d*]{9}\Z")
_SEPARATORS = str.maketrans("", "", " -().+")
_DIAL = re.compile(r"(?<=[转机])[: ]?")


def parse(text: str) -> Shape | None:
    """The number in canonical writing: no country code for the mainland, `-` before parts.

    Parts: the subscriber's number, then the extension if there is one. None: not one number.
    """
    if _PLAIN.match(text):
        return Shape("mobile", text, ((0, 11),))
    return _by_form(_DIAL.sub("", text)) if STAR in text else _by_digits(text) or _by_form(text)


def _by_form(text: str) -> Shape | None:
    packed = text.replace(" ", "")
    for form, pattern in _FORMS:
        if match := pattern.match(packed):
            groups = match.groupdict()
            return _shape(form, groups.get("area"), groups["local"], groups.get("ext"))
    return None


def _by_digits(text: str) -> Shape | None:
    """A clear number however its digits are spaced, bracketed and hyphenated."""
    ext = None
    if match := _EXTENSION.match(text):
        text, ext = match["number"], match["ext"]
    elif match := _FLOAT.match(text):
        text = match["digits"]
    elif _EXPONENT.match(text):
        text = f"{float(text):.0f}"
    digits = text.translate(_SEPARATORS)
    if not digits.isdecimal():
        return None
    for form, pattern in _DIGITS:
        if match := pattern.match(digits):
            area = match.groupdict().get("area")
            if form == "landline":
                area = f"0{area}"
            return _shape(
                form, area or ("886" if form == "overseas" else None), match["local"], ext
            )
    return None


def _shape(form: str, area: str | None, local: str, ext: str | None) -> Shape:
    text = ""
    structure: set[int] = set()
    if area:
        text = ("+" if form == "overseas" else "") + area + "-"
        structure = {i for i, c in enumerate(text) if c in "+-"}
    parts = [(len(text), len(text) + len(local))]
    text += local
    if ext:
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
