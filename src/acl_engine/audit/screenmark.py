"""The short code on every screen and page: it leads from a photograph to the session and minute.

Ten symbols of an alphabet without 0 O 1 I L, eight of them from a keyed hash of session and
minute, two to check: a Reed-Solomon code over the integers modulo 31, of distance 3. One or two
misread symbols, and any two that changed places, are noticed; one can be mended.

INVARIANTS
- A mark says nothing by itself: without the log (and the key that made the hash) it is noise.
- A misread mark is never looked up as it is: it would name another session.
"""

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
DATA, CHECK = 8, 2
_GROUP = (DATA + CHECK) // 2
_P = len(ALPHABET)  # 31, a prime: every symbol but 0 has an inverse
_GENERATOR = 3  # of order 30 modulo 31, so that ten positions have ten different powers
_POWERS = tuple(pow(_GENERATOR, i, _P) for i in range(DATA + CHECK))

MISREAD = Text(
    "audit.mark-misread",
    "屏幕码有误读",
    "the screen mark was misread",
    "重新辨认，若仅一处看错可能是 `{likely}`",
    "read it again; if one symbol is wrong it may be `{likely}`",
)
NOT_A_MARK = Text(
    "audit.mark-form",
    "屏幕码应为 10 个字符",
    "a screen mark has 10 symbols",
    "不含 0 O 1 I L",
    "0, O, 1, I and L do not occur",
)


def mark(digest: str) -> str:
    """The mark of a keyed hash (hex, 64 bits or more)."""
    number = int(digest, 16) % _P**DATA
    data = []
    for _ in range(DATA):
        number, symbol = divmod(number, _P)
        data.append(symbol)
    return "".join(ALPHABET[symbol] for symbol in (*data, *_checks(data)))


def shown(mark: str) -> str:
    """A mark as people see it, in two groups; empty for none."""
    return f"{mark[:_GROUP]}-{mark[_GROUP:]}" if mark else ""


def read(text: str) -> str:
    """The mark in its one form. Raises InputError for a misread one, with a likely reading."""
    found = "".join(text.upper().replace("-", " ").split())
    if len(found) != DATA + CHECK or not found.isascii() or not found.isalnum():
        raise InputError(NOT_A_MARK.of())
    symbols = [ALPHABET.find(sign) for sign in found]
    unknown = [at for at, symbol in enumerate(symbols) if symbol < 0]
    if not unknown and _syndromes(symbols) == (0, 0):
        return found
    raise InputError(MISREAD.of(likely=_likely(symbols, unknown) or "-"))


def _checks(data: list[int]) -> tuple[int, int]:
    """The two symbols that make both sums zero: Cramer's rule modulo 31."""
    plain, weighted = _syndromes(data)
    a, b = _POWERS[DATA], _POWERS[DATA + 1]
    first = (b * -plain + weighted) * pow(b - a, -1, _P) % _P
    return first, (-plain - first) % _P


def _syndromes(symbols: list[int]) -> tuple[int, int]:
    weighted = sum(symbol * power for symbol, power in zip(symbols, _POWERS, strict=False))
    return sum(symbols) % _P, weighted % _P


def _likely(symbols: list[int], unknown: list[int]) -> str | None:
    """The one mark that differs in a single symbol, if there is one."""
    if len(unknown) > 1:
        return None
    guess = [max(symbol, 0) for symbol in symbols]
    excess, weighted = _syndromes(guess)
    for at in unknown or range(len(guess)):
        if excess * _POWERS[at] % _P == weighted:  # all the excess lies here
            guess[at] = (guess[at] - excess) % _P
            return "".join(ALPHABET[one] for one in guess)
    return None
