"""Synthetic people: names, phones, ID numbers and addresses that belong to nobody.

INVARIANTS
- A phone lies in a segment that no carrier has allocated, inside a valid prefix; no two customers
  of a world share one.
- An ID number has a valid check digit and a birth year of 2099.
- A customer is a function of the seed and an index, so a population of any size needs no memory,
  and the same seed gives the same people whatever PYTHONHASHSEED is.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from random import Random
from typing import TypeVar

from acl_engine.replay.world.seed import Names

# ISO 7064 MOD 11-2, as GB 11643 uses it for the 18th character.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_BIRTH_YEAR = 2099
_ITEMS = ("衣物", "图书", "手机壳", "茶叶", "文件", "玩具", "保健品", "化妆品", "鞋子", "小家电")
_NUMBERS_PER_SEGMENT = 10_000
# Any prime but 2, 3 and 5: stepping by it visits every number of the segments once.
_PHONE_STEP = 611_953
_WORDS = struct.Struct("<8I")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Customer:
    """`home` is a number that picks the area where the customer lives; `room` is the door."""

    id: str
    name: str
    phone: str
    id_number: str
    bound_at: int | None
    home: int
    room: str


class Draw(Random):
    """A random source with the two cheap draws that millions of rows need."""

    def below(self, limit: int) -> int:
        return int(self.random() * limit)

    def pick(self, items: Sequence[_T]) -> _T:
        return items[int(self.random() * len(items))]


def source(*parts: str) -> Draw:
    """A random source that depends on the words alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    # Reproducible on purpose; nothing secret comes from it.
    return Draw(int.from_bytes(digest, "big"))


class People:
    """The people of one seed."""

    def __init__(self, names: Names, seed: str) -> None:
        self._names = names
        self._key = hashlib.sha256(f"{seed}\x1fpeople".encode()).digest()
        self._numbers = len(names.phone_segments) * _NUMBERS_PER_SEGMENT
        self._offset = source(seed, "phones").below(self._numbers)

    @property
    def most(self) -> int:
        """So many customers have a phone of their own."""
        return self._numbers

    def name(self, draw: Random) -> str:
        return self._name(draw.getrandbits(32), draw.getrandbits(32), draw.getrandbits(32))

    def item(self, draw: Draw) -> str:
        return draw.pick(_ITEMS)

    def customer(
        self, index: int, id_: str, bound_at: int | None, name: str | None = None
    ) -> Customer:
        """The customer of an index below `most`. `name` is given for a shop."""
        digest = hashlib.blake2b(index.to_bytes(8, "big"), key=self._key, digest_size=32).digest()
        a, b, c, birth, home, door, _, _ = _WORDS.unpack(digest)
        return Customer(
            id_,
            name or self._name(a, b, c),
            self._phone(index),
            _id_number(birth),
            bound_at,
            home,
            _room(door),
        )

    def _name(self, a: int, b: int, c: int) -> str:
        names = self._names
        surnames = names.surnames if a % 50 else names.compound_surnames
        surname = surnames[a // 50 % len(surnames)]
        given = names.given[b % len(names.given)]
        return surname + given + (names.given[c // 4 % len(names.given)] if c % 4 else "")

    def _phone(self, index: int) -> str:
        number = (index * _PHONE_STEP + self._offset) % self._numbers
        segment, last = divmod(number, _NUMBERS_PER_SEGMENT)
        return f"{self._names.phone_segments[segment]}{last:04d}"


def _id_number(word: int) -> str:
    month, day, order = word % 12 + 1, word // 12 % 28 + 1, word // 336 % 999 + 1
    head = f"440306{_BIRTH_YEAR}{month:02d}{day:02d}{order:03d}"
    return head + _CHECK[sum(map(mul, map(int, head), _WEIGHTS)) % 11]


def _room(word: int) -> str:
    block, entry = word % 29 + 1, word // 29 % 4 + 1
    floor, door = word // 116 % 31 + 1, word // 3596 % 8 + 1
    return f"{block}栋{entry}单元{floor}{door:02d}"
