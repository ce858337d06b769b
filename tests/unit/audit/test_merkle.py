"""RFC 6962 trees: published vectors, an independent implementation, and proofs that must fail."""

import hashlib

import pytest
from pymerkle import InmemoryTree

from acl_engine.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    fold,
    verify_consistency,
    verify_inclusion,
)
from acl_engine.audit.record import leaf_hash
from acl_engine.domain.errors import InputError

# The inputs and roots of the reference test data of Certificate Transparency (RFC 6962).
VECTORS = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243")] + [
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Kept:
    """Leaves in memory, with level-8 nodes for complete tiles when `tiles` says so."""

    def __init__(self, leaves: list[bytes], *, tiles: bool) -> None:
        self.leaves, self.tiles = leaves, tiles

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        if level == 0:
            return self.leaves[start:end]
        if level == 8 and self.tiles:
            whole = min(end, len(self.leaves) >> 8)
            return [fold(self.leaves[i << 8 : (i + 1) << 8]) for i in range(start, whole)]
        return []


def test_published_roots() -> None:
    """Every size of the published tree has the published root."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for entry, root in zip(VECTORS, ROOTS, strict=True):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex() == root


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 700])
def test_roots_and_proofs_agree_with_pymerkle(size: int, tiles: bool) -> None:
    """The root, every kind of path and its verification are those of another implementation."""
    entries = [f"entry {i}".encode() for i in range(size)]
    oracle = InmemoryTree(algorithm="sha256")
    oracle.append_entries(entries)
    leaves = [leaf_hash(entry) for entry in entries]
    frontier, tree = Frontier(), Tree(Kept(leaves, tiles=tiles))
    for leaf in leaves:
        frontier.append(leaf)
    assert frontier.root() == tree.root(size) == oracle.get_root(size)
    for index in sorted({0, size // 3, size // 2, size - 1}):
        path = tree.inclusion(index, size)
        theirs = oracle.prove_inclusion(index + 1, size).path
        assert list(path) == list(theirs)[1:]
        verify_inclusion(leaves[index], index, size, path, tree.root(size))
    for old in sorted({1, size // 3 or 1, size // 2 or 1, size}):
        path = tree.consistency(old, size)
        verify_consistency(old, oracle.get_root(old), size, tree.root(size), path)


@pytest.mark.parametrize("parts", [(700,), (1, 256, 443), (255, 1, 300, 144), (0, 13, 687)])
def test_leaves_added_by_the_page_give_the_same_root(parts: tuple[int, ...]) -> None:
    """However the leaves arrive, the root at each stop is that of another implementation."""
    entries = [f"entry {i}".encode() for i in range(700)]
    oracle = InmemoryTree(algorithm="sha256")
    oracle.append_entries(entries)
    frontier = Frontier()
    for part in parts:
        start = frontier.size
        frontier.extend([leaf_hash(one) for one in entries[start : start + part]])
        assert frontier.size == start + part
        assert frontier.root() == (oracle.get_root(frontier.size) if frontier.size else EMPTY_ROOT)


def test_every_inclusion_proof_fails_elsewhere() -> None:
    """A proof holds for its own leaf, index, size and root, and for no other."""
    leaves = [leaf_hash(bytes([i])) for i in range(13)]
    tree = Tree(Kept(leaves, tiles=False))
    root = tree.root(13)
    for index in range(13):
        path = tree.inclusion(index, 13)
        verify_inclusion(leaves[index], index, 13, path, root)
        wrong = [
            (leaves[index - 1], index, 13, path, root),
            (leaves[index], index + 1, 13, path, root),
            (leaves[index], index, 26, path, root),
            (leaves[index], index, 13, path[:-1], root),
            (leaves[index], index, 13, (*path, root), root),
            (leaves[index], index, 13, path, tree.root(12)),
        ]
        for case in wrong:
            with pytest.raises(InputError):
                verify_inclusion(*case)


def test_every_consistency_proof_of_all_small_trees() -> None:
    """All prefixes of all trees to 20 leaves: true ones hold, ones with another root do not."""
    leaves = [leaf_hash(bytes([i])) for i in range(20)]
    other = Tree(Kept([leaf_hash(b"x"), *leaves[1:]], tiles=False))
    tree = Tree(Kept(leaves, tiles=False))
    for new in range(1, 21):
        for old in range(1, new + 1):
            path = tree.consistency(old, new)
            verify_consistency(old, tree.root(old), new, tree.root(new), path)
            with pytest.raises(InputError):
                verify_consistency(old, other.root(old), new, tree.root(new), path)
            with pytest.raises(InputError):
                verify_consistency(old, tree.root(old), new, tree.root(new), (*path, leaves[0]))


def test_a_shrunken_log_is_no_continuation() -> None:
    """Going from more records to fewer is refused whatever the proof says."""
    with pytest.raises(InputError):
        verify_consistency(3, b"a" * 32, 2, b"b" * 32, ())


def test_missing_leaf_is_named() -> None:
    """A proof over records that are gone is refused by name."""
    with pytest.raises(InputError, match="record 2 is missing"):
        Tree(Kept([b"a" * 32, b"b" * 32], tiles=False)).root(3)
