"""The code on the screen: misreading is noticed."""

import hashlib
import itertools

import pytest

from acl_engine.audit.screenmark import ALPHABET, mark, read
from acl_engine.domain.errors import InputError

MARKS = [mark(hashlib.sha256(bytes([i])).hexdigest()) for i in range(40)]


def test_marks_read_back() -> None:
    """A mark read right, in small letters and in groups, is itself; all differ."""
    assert len(set(MARKS)) == 40
    for one in MARKS:
        assert read(one) == read(f"{one[:5].lower()}-{one[5:]}") == one
        assert len(one) == 10


def test_every_single_misreading_is_noticed_and_mended() -> None:
    """Any one symbol misread: refused, with the right mark as the guess."""
    for one in MARKS[:5]:
        for at, other in itertools.product(range(10), ALPHABET):
            if other != one[at]:
                with pytest.raises(InputError) as caught:
                    read(one[:at] + other + one[at + 1 :])
                assert one in caught.value.render()


def test_every_double_misreading_is_noticed() -> None:
    """Two symbols misread, wherever they stand, are refused."""
    one = MARKS[7]
    for a, b in itertools.combinations(range(10), 2):
        for x, y in itertools.product(ALPHABET[::5], repeat=2):
            if x != one[a] and y != one[b]:
                wrong = [*one]
                wrong[a], wrong[b] = x, y
                with pytest.raises(InputError):
                    read("".join(wrong))


@pytest.mark.parametrize("text", ["", "ABC", "A" * 11, "ABCDE FGHJ!", "ＡＢＣＤＥＦＧＨＪＫ"])
def test_other_forms_are_no_mark(text: str) -> None:
    """Too short, too long, other signs: refused by form."""
    with pytest.raises(InputError):
        read(text)


def test_symbol_that_does_not_occur_is_a_misreading() -> None:
    """An O where none can be: refused, and mended."""
    one = MARKS[3]
    with pytest.raises(InputError, match=one):
        read("O" + one[1:])
