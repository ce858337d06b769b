"""Tracking events at city level: when, what, in which city. No unit, no person, no station."""

import json
import re

from acl_engine.masking import address
from acl_engine.masking.shape import clean

# Kept when the value is what the key promises; every other key of an event is dropped.
_WORD = re.compile(r"[A-Za-z_]{1,24}\Z")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?\Z")


def city_level(value: str) -> list[dict[str, str | int]] | None:
    """The events of a JSON list, each cut to `at`, `kind`, `stage` and `city`. None: no such list.

    `at` is epoch seconds or ISO 8601. A city is shown when it is recognised as one.
    """
    try:
        events = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
        return None
    return [_cut(one) for one in events]


def _cut(event: dict[str, object]) -> dict[str, str | int]:
    kept: dict[str, str | int] = {}
    at = event.get("at")
    if (isinstance(at, int) and not isinstance(at, bool) and 0 <= at < 10**10) or (
        isinstance(at, str) and _INSTANT.match(at)
    ):
        kept["at"] = at
    for key in ("kind", "stage"):
        word = event.get(key)
        if isinstance(word, str) and _WORD.match(word):
            kept[key] = word
    city = event.get("city")
    shape = address.parse(clean(city)) if isinstance(city, str) else None
    if shape and shape.parts[0][1]:
        kept["city"] = shape.text[: shape.parts[0][1]]
    return kept
