"""Recovery codes: what lets a person in once when the authenticator is lost.

Each has 120 random bits, so that a plain digest may be stored (ASVS 5, 6.5.2), bound to its login.
One stands for the one-time code alone: password and bound device are asked for as ever, and a
session that it opened is fresh for nothing (see `identity/fresh.py`).
"""

import hashlib
import secrets

CODES = 8
_GROUPS, _GROUP = 6, 4
# No 0, 1, I or O: they are read from paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_codes() -> tuple[str, ...]:
    """A fresh set, in groups of four as they are shown. They are secrets: shown once."""
    return tuple(new_code() for _ in range(CODES))


def digest_of(login: str, typed: str | None) -> str | None:
    """What is stored of a code, from how it was typed; None: it has not the shape of one."""
    plain = plain_code(typed)
    if plain is None:
        return None
    said = f"acl-engine recovery code v1\n{login}\n{plain}"
    return hashlib.sha256(said.encode()).hexdigest()


def digests(login: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    """What is stored of a set that `new_codes` made."""
    return tuple(digest_of(login, one) or "" for one in codes)


def plain_code(typed: str | None) -> str | None:
    """The letters of a code, however it was typed; None: it has not the shape of one."""
    plain = (typed or "").upper().replace("-", "").replace(" ", "")
    if len(plain) != _GROUPS * _GROUP or not set(plain) <= set(_ALPHABET):
        return None
    return plain


def new_code() -> str:
    """One code of 120 random bits, for people to type."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
