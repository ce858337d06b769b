"""Role links: the full closure of every known name, its bound, and the subject hierarchy.

INVARIANTS
- A name reaches itself. An unknown name reaches itself alone; nothing is stored for it.
- The closure is bounded: a policy made to blow it up is refused at load.
"""

from collections.abc import Iterable, Mapping, Sequence

from acl_engine.domain.errors import Where
from acl_engine.domain.text import Text
from acl_engine.policy.findings import Findings

MAX_CLOSURE = 3_000_000
# casbin walks at most this many links; `compat` must not allow more.
CASBIN_LINKS = 9

CYCLE = Text(
    "roles.cycle",
    "角色 `{role}` 组成环",
    "the role `{role}` is in a cycle",
    "删去环中的一行 g",
    "take one g line of the cycle out",
)
TOO_LARGE = Text(
    "roles.too-large",
    "角色闭包超过 {limit} 项",
    "the closure of the roles has more than {limit} entries",
    "请减少层级或成员",
    "use fewer levels or members",
)

Key = str | tuple[str, str]


def closures(
    links: Iterable[tuple[str, ...]],
    where: Where,
    findings: Findings,
    lines: Sequence[int] = (),
) -> dict[Key, tuple[str, ...]]:
    """What each name reaches, nearest first, itself included.

    The key is the name, or (name, domain) for links of three columns. `lines` are the links'.
    """
    links = list(links)
    parents: dict[Key, dict[Key, None]] = {}  # a dict for its order, each parent once
    for link in links:
        child, parent = _ends(link)
        parents.setdefault(child, {})[parent] = None
    limit = CASBIN_LINKS if findings.compat else None
    found: dict[Key, tuple[str, ...]] = {}
    rings: set[Key] = set()
    total = 0
    for child in parents:
        reach, cyclic = _reach(child, parents, limit)
        if cyclic:
            rings.add(child)
        total += len(reach)
        if total > MAX_CLOSURE:
            findings.refuse(TOO_LARGE.of(limit=MAX_CLOSURE), where)
            found = {}
            break
        found[child] = tuple(_name(one) for one in reach)
    _note_cycles(rings, links, lines, where, findings)
    return found


def _note_cycles(
    cyclic: set[Key],
    links: Sequence[tuple[str, ...]],
    lines: Sequence[int],
    file: Where,
    findings: Findings,
) -> None:
    """Each name of a cycle once, at the first link that leads out of it."""
    for at, link in enumerate(links if cyclic else ()):
        child = _ends(link)[0]
        if child in cyclic:
            cyclic.discard(child)
            where = Where(file.file, lines[at], 1) if lines else file
            findings.doubt(CYCLE.of(role=_name(child)), where)


def _ends(link: tuple[str, ...]) -> tuple[Key, Key]:
    if len(link) == 2:
        return link[0], link[1]
    return (link[0], link[2]), (link[1], link[2])


def _name(key: Key) -> str:
    return key if isinstance(key, str) else key[0]


def _reach(
    start: Key, parents: Mapping[Key, Iterable[Key]], limit: int | None
) -> tuple[list[Key], bool]:
    """Breadth first; the second value tells whether `start` reaches itself."""
    order: dict[Key, None] = {start: None}
    ring, links, cyclic = [start], 0, False
    while ring and links != limit:
        links += 1
        following: list[Key] = []
        for one in ring:
            for parent in parents.get(one, ()):
                cyclic = cyclic or parent == start
                if parent not in order:
                    order[parent] = None
                    following.append(parent)
        ring = following
    return list(order), cyclic


def levels(links: Iterable[tuple[str, ...]]) -> dict[tuple[str, str], int]:
    """(domain, name) -> the longest way down to a leaf, 0 for a leaf: casbin's hierarchy.

    Rows of the lower level are read first. A cycle is reported by `closures`.
    """
    waiting: dict[tuple[str, str], int] = {}
    parents: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for link in links:
        domain = link[2] if len(link) > 2 else ""
        child, parent = (domain, link[0]), (domain, link[1])
        parents.setdefault(child, []).append(parent)
        waiting[parent] = waiting.get(parent, 0) + 1
        waiting.setdefault(child, 0)
    level = {name: 0 for name, count in waiting.items() if count == 0}
    ready = list(level)
    while ready:
        child = ready.pop()
        for parent in parents.get(child, ()):
            level[parent] = max(level.get(parent, 0), level[child] + 1)
            waiting[parent] -= 1
            if waiting[parent] == 0:
                ready.append(parent)
    return level
