"""Identity numbers: the resident's 18 and 15 digits; permits and passports of other forms.

Digits 1-6 are the place of first registration, 7-14 the birthday, 15-17 a sequence (odd: male),
18 the MOD 11-2 check digit (GB 11643-1999), which narrows whatever else is hidden: a rule that
shows it says so.
"""

import re
from dataclasses import dataclass

from acl_engine.masking.shape import Shape

_RESIDENT = re.compile(r"[\d*]{17}[\dXx*]\Z")
_OLD = re.compile(r"[\d*]{15}\Z")
_PERMIT = re.compile(
    r"(?:[HMC*][\d*]{8}(?:[\d*]{2})?"  # mainland travel permit of Hong Kong and Macau residents
    r"|[\d*]{8}(?:[\d*]{2})?(?:\([A-Z*]\))?"  # mainland travel permit of Taiwan residents
    r"|[A-Z*]{1,2}[\d*]{6}\([\dA*]\)"  # Hong Kong identity card
    r"|[157*][\d*]{6}\([\d*]\)"  # Macau identity card
    r"|[A-Z*][\d*]{9}"  # Taiwan identity card
    r"|[A-Z*]{1,2}[\d*]{7,8})\Z"  # passports
)


@dataclass(frozen=True, slots=True)
class IdRule:
    """Digits shown from the start (`first`) and from the end (`last`) of a resident's number."""

    first: int = 0
    last: int = 0


_BIRTHDAY = {18: (6, 14), 15: (6, 12)}


def parse(text: str) -> Shape | None:
    """Parts of a resident's number: region, birthday, sequence and check; of any other the leading
    letter, if it has one. None: unknown form."""
    packed = text.replace(" ", "").replace("-", "").upper()
    if _RESIDENT.match(packed) or _OLD.match(packed):
        start, end = _BIRTHDAY[len(packed)]
        form = "resident" if len(packed) == 18 else "resident-15"
        return Shape(form, packed, ((0, start), (start, end), (end, len(packed))))
    if _PERMIT.match(packed):
        brackets = frozenset(i for i, c in enumerate(packed) if c in "()")
        return Shape("permit", packed, ((0, int(packed[0].isalpha())),), brackets)
    return None


def shown(shape: Shape, rule: IdRule) -> frozenset[int]:
    """Positions shown. The birthday never is; a permit shows at most its leading letter."""
    if shape.form == "permit":
        return frozenset(range(*shape.parts[0])) if rule.first else frozenset()
    start, end = shape.parts[1]
    size = shape.parts[2][1]
    first = range(min(rule.first, start))
    last = range(max(size - rule.last, end), size)
    return frozenset(first) | frozenset(last)
