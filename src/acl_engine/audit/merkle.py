"""The Merkle tree of RFC 6962 section 2.1: roots, inclusion proofs, consistency proofs.

INVARIANTS
- A leaf is hashed with 0x00 before it and a node with 0x01: neither can be taken for the other.
- Verification is by the index and size alone; a proof that is too long or too short is refused.
- What builds proofs reads hashes through `HashSource`; what verifies them reads nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

EMPTY_ROOT = hashlib.sha256(b"").digest()
# Subtree roots are kept at every eighth level, as the 256-wide tiles of C2SP tlog-tiles.
TILE_LEVEL = 8
_TILE = 1 << TILE_LEVEL
_TILE_MASK = _TILE - 1

BAD_PROOF = Text(
    "audit.bad-proof",
    "证明不成立：{why}",
    "the proof does not hold: {why}",
    "记录或日志被改动，或证明属于另一个检查点",
    "the record or the log was changed, or the proof belongs to another checkpoint",
)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class HashSource(Protocol):
    """Where a prover reads the hashes of complete subtrees."""

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Roots of the subtrees `start` to `end` (exclusive) at `level`; level 0 is leaves.

        Asked only for levels 0, 8, 16, ...; where nothing is kept at a level the answer is short.
        """
        ...


@dataclass(slots=True)
class Frontier:
    """A tree that only grows, held as the roots of its complete subtrees: log2(size) hashes."""

    size: int = 0
    _stack: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self._carry(leaf, self.size)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order: whole tiles of 256 are folded at once."""
        at, end = 0, len(leaves)
        while at < end:
            if self.size & _TILE_MASK or end - at < _TILE:
                self.append(leaves[at])
                at += 1
                continue
            self._carry(fold(leaves[at : at + _TILE]), self.size >> TILE_LEVEL)
            self.size += _TILE
            at += _TILE

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the widest first."""
        return tuple(self._stack)

    def grown(self, width: int, subtrees: Sequence[bytes]) -> "Frontier":
        """This and `width` leaves more, given as the `subtrees` of a frontier of theirs. Its size
        is a multiple of a power of two that is no less than `width`."""
        found = Frontier(self.size, list(self._stack))
        for root in subtrees:
            level = width.bit_length() - 1
            found._carry(root, found.size >> level)
            found.size += 1 << level
            width -= 1 << level
        return found

    def _carry(self, node: bytes, odd: int) -> None:
        """Put in the root of a complete subtree; `odd` is how many of its width stand before."""
        stack = self._stack
        while odd & 1:
            node = node_hash(stack.pop(), node)
            odd >>= 1
        stack.append(node)

    def root(self) -> bytes:
        """The root over everything appended so far."""
        if not self._stack:
            return EMPTY_ROOT
        root = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            root = node_hash(left, root)
        return root


class Tree:
    """Roots and proofs over a source of hashes, at any size up to what the source holds."""

    def __init__(self, source: HashSource) -> None:
        self._source = source

    def root(self, size: int) -> bytes:
        """The root at `size`."""
        return _Tiles(self._source).range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The audit path of a leaf, from its sibling up (RFC 6962 section 2.1.1)."""
        if not 0 <= index < size:
            raise InputError(BAD_PROOF.of(why=f"{index} is not below {size}"))
        tiles, path = _Tiles(self._source), list[bytes]()
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(tiles.range(middle, end))
                end = middle
            else:
                path.append(tiles.range(start, middle))
                start = middle
        return tuple(reversed(path))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree of `old` leaves is a prefix (RFC 6962 section 2.1.2)."""
        if not 0 <= old <= new:
            raise InputError(BAD_PROOF.of(why=f"{old} is not up to {new}"))
        if old in (0, new):
            return ()
        tiles, path = _Tiles(self._source), list[bytes]()
        start, end, whole = 0, new, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(tiles.range(middle, end))
                end = middle
            else:
                path.append(tiles.range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(tiles.range(start, end))
        return tuple(reversed(path))


class _Tiles:
    """Hashes for one proof, read a tile of 256 at a time and each tile once: a proof asks for many
    small neighbours, and every question to a database costs more than its answer."""

    def __init__(self, source: HashSource) -> None:
        self._source = source
        self._read: dict[tuple[int, int], Sequence[bytes]] = {}

    def range(self, start: int, end: int) -> bytes:
        """The hash over leaves `start` to `end`; `start` is a multiple of its subtree's size."""
        width = end - start
        level = width.bit_length() - 1
        if width != 1 << level:
            middle = start + _split(width)
            return node_hash(self.range(start, middle), self.range(middle, end))
        return self._complete(level, start >> level)

    def _complete(self, level: int, position: int) -> bytes:
        below = level - level % TILE_LEVEL
        span = 1 << (level - below)
        found = self._tile(below, position * span, span)
        if len(found) == span:
            return fold(found)
        if level == 0:
            raise InputError(BAD_PROOF.of(why=f"record {position} is missing"))
        left = self._complete(level - 1, position * 2)
        return node_hash(left, self._complete(level - 1, position * 2 + 1))

    def _tile(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """`count` hashes from `start` on; they lie in one tile."""
        number, offset = divmod(start, _TILE)
        if (level, number) not in self._read:
            first = number * _TILE
            self._read[level, number] = self._source.hashes(level, first, first + _TILE)
        return self._read[level, number][offset : offset + count]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Raises InputError unless the leaf stands at `index` in the tree of this size and root."""
    if not 0 <= index < size:
        raise InputError(BAD_PROOF.of(why=f"{index} is not below {size}"))
    position, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise InputError(BAD_PROOF.of(why="the path is too long"))
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise InputError(BAD_PROOF.of(why="the path is too short"))
    if found != root:
        raise InputError(BAD_PROOF.of(why="another root"))


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raises InputError unless the first tree is a prefix of the second (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new:
        raise InputError(BAD_PROOF.of(why="the log became shorter"))
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise InputError(BAD_PROOF.of(why="another root"))
        return
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise InputError(BAD_PROOF.of(why="the path is too short"))
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise InputError(BAD_PROOF.of(why="the path is too long"))
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise InputError(BAD_PROOF.of(why="the path is too short"))
    if first != old_root or second != new_root:
        raise InputError(BAD_PROOF.of(why="another root"))


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes: one complete subtree."""
    begun = hashlib.sha256(b"\x01").copy
    while len(hashes) > 1:
        above = list[bytes]()
        for left, right in zip(hashes[::2], hashes[1::2], strict=True):
            node = begun()
            node.update(left + right)
            above.append(node.digest())
        hashes = above
    return hashes[0]
