"""The short way to what is kept for a row: one chain of look-ups, and nothing read beside it.

Where a matcher is one branch of plain keys, and the name asked about has one role (or needs none),
the row under its keys is the one that decides. What is kept for that row stands in a cell of a
second table: its rank, and the list that a rank leads to, would be two more places in memory to
wait for, a third of the time of a decision at 100,000 rows.

INVARIANTS
- What it cannot tell is left to the lines behind it, which walk every table.
- Only cells that a row made are ever written: unknown names cost no memory.
"""

from acl_engine.policy import code
from acl_engine.policy.branches import Branch
from acl_engine.policy.environment import Reach
from acl_engine.policy.reading import Vocabulary
from acl_engine.policy.row_tables import Table, by_itself, by_name


def is_direct(branches: tuple[Branch, ...]) -> bool:
    """Whether rows are found by their keys alone: two or more, of which only the first a role."""
    branch = branches[0]
    plain = len(branches) == 1 and not branch.residual and not branch.head
    return plain and len(branch.keys) > 1 and not any(key.role for key in branch.keys[1:])


def cells_of(table: Table) -> Table:
    """A cell for each row that a look-up can lead to, with its rank until something is kept."""
    return {word: cells_of(one) if isinstance(one, dict) else one for word, one in table.items()}


def first_level(branch: Branch, cells: Table, reach: Reach) -> dict[object, object]:
    """The `get` of the cells of each name that has exactly one role; of each word without roles."""
    key = branch.keys[0]
    named = {} if key.role and key.domain else by_itself(cells)
    if key.role:
        named |= by_name(cells, reach[key.role])
    return {name: levels[0] for name, levels in named.items() if len(levels) == 1}


def lines(branch: Branch, words: Vocabulary, count: int, texts: str) -> list[str]:
    """Lines that return what is kept for the row under the keys; for none, if `texts` is true."""
    key, *levels = branch.keys
    name = code.value(key.value, words)
    if key.domain:
        name = f"({name}, text({code.value(key.domain, words)}))"
    found = [f"    get = first({name})", "    if get is not None:"]
    depth, get = "        ", "get"
    for level in levels:
        found.append(f"{depth}cell = {get}({code.value(level.value, words)})")
        found.append(f"{depth}if cell is not None:")
        depth, get = depth + "    ", "cell.get"
    found.append(f"{depth}return kept[cell] if cell.__class__ is whole else cell")
    return [*found, f"        if {texts}:", f"            return kept[{count}]"]
