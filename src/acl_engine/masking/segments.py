"""The public table of mobile number segments by city (the `phone` package, extra `[analysis]`).

A segment is the first seven digits of a number; each holds 10,000 numbers.
"""

import struct
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.text import Text
from acl_engine.masking.cities import name_of

NO_TABLE = Text(
    "segments-missing",
    "缺少号段表",
    "the table of number segments is not installed",
    "运行 pip install 'acl-engine[analysis]'",
    "run pip install 'acl-engine[analysis]'",
)
UNKNOWN_CITY = Text(
    "segments-city-unknown",
    "号段表中没有城市 `{city}`",
    "no city `{city}` in the table of number segments",
    "写城市全名，例如 深圳",
    "write the city in Chinese, such as 深圳",
)

_RECORD = struct.Struct("<iiB")


@cache
def by_city() -> Mapping[str, tuple[int, ...]]:
    """City -> its segments in order. Raises ConfigError when the table is not installed."""
    try:
        from phone import Phone
    except ModuleNotFoundError:
        raise ConfigError(NO_TABLE.of()) from None
    table = Phone()
    size = _RECORD.size * table.phone_record_count
    start = table.first_phone_record_offset
    cities: dict[int, str] = {}
    found: dict[str, list[int]] = {}
    for segment, place, _ in _RECORD.iter_unpack(table.buf[start : start + size]):
        if place not in cities:
            cities[place] = table.buf[place : table.buf.find(b"\0", place)].decode().split("|")[1]
        found.setdefault(cities[place], []).append(segment)
    return MappingProxyType({city: tuple(sorted(numbers)) for city, numbers in found.items()})


def of_city(city: str) -> tuple[int, ...]:
    """The segments of one city, named with or without its ending. Raises InputError."""
    table = by_city()
    for name in (city, name_of(city)):
        if name in table:
            return table[name]
    raise InputError(UNKNOWN_CITY.of(city=city))
