"""Whether a text looks like personal data: a number that identifies, somebody's name, an address.

For what nobody declared, or asked to be kept. It answers yes too often rather than too seldom; no
mask rests on it alone.
"""

import re

from acl_engine.masking import address, freetext

# Written as figures, or taken for them.
_AS_DIGITS = str.maketrans(
    "零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖OoQlI|",
    "0012345678912123456789000111",
)
_GAP = r"[\W_]{0,6}"
_NUMBERS = re.compile(
    rf"(?<![0-9])(?:(?:00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}[0-9]){{9}}(?![0-9])"  # mobile
    rf"|(?<![0-9])(?:(?:00)?86{_GAP})?0[1-9][0-9]{{1,2}}{_GAP}[2-9](?:{_GAP}[0-9]){{6,7}}(?![0-9])"
    rf"|(?<![0-9])(?:00)?(?:852|853|886){_GAP}[2-9](?:{_GAP}[0-9]){{7,8}}(?![0-9])"
    r"|(?<![0-9])[48]00-?[0-9]{3}-?[0-9]{4}(?![0-9])"
)
_ID_RUN = re.compile(rf"(?<![0-9])[1-9](?:{_GAP}[0-9]){{13,16}}{_GAP}[0-9Xx](?![0-9])")
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_RESIDENT = re.compile(
    rf"[1-9][0-9]{{5}}(?:18|19|20)[0-9]{{2}}{_DAY}[0-9]{{3}}[0-9Xx]|[1-9][0-9]{{7}}{_DAY}[0-9]{{3}}"
)
_PERMIT = re.compile(
    r"(?<![A-Za-z0-9])(?:[HMEGhmeg][0-9]{8}(?:[0-9]{2})?|[A-Za-z]{1,2}[0-9]{6}\([0-9Aa]\))"
    r"(?![A-Za-z0-9])"
)
_EXPONENT = re.compile(r"[1-9](?:\.[0-9]{1,17})?[Ee]\+?1[0-7]\Z")
_NOT_A_SIGN = re.compile(r"[\W_]")


def looks_personal(text: str) -> bool:
    """Whether a canonical text (`shape.clean`) looks like personal data of any kind."""
    return holds_number(text) or names_someone(text) or _is_address(text)


def holds_number(text: str) -> bool:
    """Whether a phone or identity number stands somewhere in the text, in any writing."""
    if len(text) < 7:
        return False
    if _EXPONENT.match(text):
        text = f"{float(text):.0f}"
    if _PERMIT.search(text):
        return True
    figures = text.translate(_AS_DIGITS)
    if _NUMBERS.search(figures):
        return True
    runs = (_NOT_A_SIGN.sub("", match[0]) for match in _ID_RUN.finditer(figures))
    return any(_RESIDENT.fullmatch(run) for run in runs)


def names_someone(text: str) -> bool:
    """Whether a text of two to four characters reads as a name."""
    if not 2 <= len(text) <= 4:
        return False
    shape = freetext.parse(text)
    return shape is not None and not shape.parts


def _is_address(text: str) -> bool:
    shape = address.parse(text)
    return shape is not None and shape.parts[address.Level.STREET - 1][1] > 2
