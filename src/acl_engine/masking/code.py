"""Codes (waybill, pickup) and vehicle plates."""

import re

from acl_engine.masking.shape import Shape

# A code's view must leave as much to guess as a phone's.
HIDDEN_AT_LEAST = 6

_CODE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*_/-]{0,47}\Z")
_PLATE = re.compile(
    r"(?P<place>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领*][A-Z*])"
    r"(?P<rest>[A-Z0-9*]{4,6}[A-Z0-9挂学警港澳*]?)\Z"
)


def parse_code(text: str) -> Shape | None:
    """One part: the whole code. None: not a code."""
    if not _CODE.match(text):
        return None
    return Shape("code", text, ((0, len(text)),))


def code_shown(shape: Shape, last: int) -> frozenset[int]:
    """The last characters, never leaving fewer than six hidden."""
    end = shape.parts[0][1]
    return frozenset(range(end - min(last, max(0, end - HIDDEN_AT_LEAST)), end))


def parse_plate(text: str) -> Shape | None:
    """Parts: the place of registration, then the number (five, or six of a new-energy car)."""
    packed = re.sub(r"[ ·.-]", "", text).upper()
    if not (match := _PLATE.match(packed)):
        return None
    return Shape("plate", packed, (match.span("place"), match.span("rest")))


def plate_shown(shape: Shape, place: bool) -> frozenset[int]:
    """The place of registration (`粤B`), or nothing."""
    return frozenset(range(*shape.parts[0])) if place else frozenset()
