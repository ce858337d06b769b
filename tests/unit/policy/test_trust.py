"""Who may sign a policy: one person is one name with one key, and nobody else writes the file."""

import base64
from pathlib import Path

import pytest

from acl_engine.domain.errors import ConfigError
from acl_engine.policy.trust import read_trust

ANN, BOB = (base64.b64encode(bytes([one]) * 32).decode() for one in b"ab")
# The same 32 bytes: the last character before the `=` has two bits that say nothing.
ANN_AGAIN = ANN[:-2] + chr(ord(ANN[-2]) + 1) + "="


def trust(folder: Path, *people: tuple[str, str, str], mode: int = 0o644) -> Path:
    lines = [f"  - {{name: {n}, parts: [{p}], public_key: {k}}}\n" for n, p, k in people]
    file = folder / "trust.yaml"
    file.write_text("schema: acl-policy-trust/1\npeople:\n" + "".join(lines))
    file.chmod(mode)
    return file


def refused(file: Path, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_trust(file)
    assert caught.value.message.code == code


def test_two_people(tmp_path: Path) -> None:
    """Otherwise the refusals below would prove nothing."""
    found = read_trust(trust(tmp_path, ("ann", "author", ANN), ("bob", "approver", BOB)))
    assert [one.name for one in found] == ["ann", "bob"]


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write(tmp_path: Path, mode: int) -> None:
    people = (("ann", "author", ANN), ("bob", "approver", BOB))
    refused(trust(tmp_path, *people, mode=mode), "trust.writable")


def test_one_key_under_two_names(tmp_path: Path) -> None:
    refused(trust(tmp_path, ("ann", "author", ANN), ("bob", "approver", ANN)), "trust.twice")


def test_one_key_written_in_two_ways(tmp_path: Path) -> None:
    """Once ann could stand there as bob as well, and approve what she wrote."""
    assert base64.b64decode(ANN_AGAIN, validate=True) == base64.b64decode(ANN)
    refused(trust(tmp_path, ("ann", "author", ANN), ("bob", "approver", ANN_AGAIN)), "trust.key")


def test_one_person_in_both_parts(tmp_path: Path) -> None:
    refused(trust(tmp_path, ("ann", '"author", "approver"', ANN)), "trust.nobody")
