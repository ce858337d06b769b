"""Synthetic people: names, phones, ID numbers and addresses that belong to nobody.

INVARIANTS
- A phone lies in a segment that no carrier has allocated, inside a valid prefix.
- An ID number has a valid check digit and a birth year of 2099.
- The same random source gives the same people, whatever PYTHONHASHSEED is.
"""

import hashlib
from dataclasses import dataclass
from random import Random

from acl_engine.replay.world.seed import Names

# ISO 7064 MOD 11-2, as GB 11643 uses it for the 18th character.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ITEMS = ("衣物", "图书", "手机壳", "茶叶", "文件", "玩具", "保健品", "化妆品", "鞋子", "小家电")


@dataclass(frozen=True, slots=True)
class Customer:
    id: str
    name: str
    phone: str
    id_number: str
    bound_at: int | None


def source(*parts: str) -> Random:
    """A random source that depends on the words alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    # Reproducible on purpose; nothing secret comes from it.
    return Random(int.from_bytes(digest, "big"))  # noqa: S311


class People:
    def __init__(self, names: Names) -> None:
        self._names = names

    def name(self, draw: Random) -> str:
        names = self._names
        surname = (
            draw.choice(names.compound_surnames)
            if draw.random() < 0.02
            else draw.choice(names.surnames)
        )
        given = draw.choice(names.given)
        return surname + given + (draw.choice(names.given) if draw.random() < 0.75 else "")

    def phone(self, draw: Random) -> str:
        return f"{draw.choice(self._names.phone_segments)}{draw.randrange(10_000):04d}"

    def id_number(self, draw: Random) -> str:
        month, day, order = draw.randrange(1, 13), draw.randrange(1, 29), draw.randrange(1, 1000)
        head = f"440306{2099}{month:02d}{day:02d}{order:03d}"
        total = sum(int(c) * w for c, w in zip(head, _WEIGHTS, strict=True))
        return head + _CHECK[total % 11]

    def item(self, draw: Random) -> str:
        return draw.choice(_ITEMS)

    def room(self, draw: Random) -> str:
        block, entry = draw.randrange(1, 30), draw.randrange(1, 5)
        floor, door = draw.randrange(1, 32), draw.randrange(1, 9)
        return f"{block}栋{entry}单元{floor}{door:02d}"

    def customer(self, id_: str, draw: Random, bound_at: int | None) -> Customer:
        return Customer(id_, self.name(draw), self.phone(draw), self.id_number(draw), bound_at)
