"""Every distinctive personal value of the seeded world, looked for in each form it may be written.

Numbers are found whatever stands between their digits, before them or how wide they are; other
values in each encoding and escape. What is short, or a word of the language (goods, remarks, pickup
codes), is not distinctive: it would be met by chance.
"""

import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote_to_bytes

from acl_engine.replay.world.truth import Truth

PHONES = ("recipient_phone", "sender_phone")
NAMES = ("recipient_name", "sender_name")
ADDRESSES = ("unit", "sender_address")
DISTINCTIVE = (*PHONES, *NAMES, *ADDRESSES, "id_number", "pod")
# Shorter, and random bytes would hold it.
_LEAST_BYTES = 6
_NUMBER = re.compile(r"\d{10,19}[\dXx]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-./()·_]{1,2}(?=[\dXx])")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

Values = Mapping[str, str]


def personal(truth: Truth, *fields: str) -> dict[str, str]:
    """Value -> field, of the fields named, or of all that are distinctive; staff is left out, who
    may be known by name (docs/threat-model.md)."""
    staff = {one.name for one in truth.world.staff.values()}
    return {
        value: name
        for parcel in truth.parcels
        for name, value in parcel.fields.items()
        if name in (fields or DISTINCTIVE) and value and value not in staff
    }


def found(held: bytes, values: Values) -> set[str]:
    """The fields of which some value stands in these bytes, in whatever form."""
    numbers = {value.upper(): name for value, name in values.items() if _NUMBER.fullmatch(value)}
    lengths = {len(value) for value in numbers}
    hits = {
        numbers[run[at : at + length]]
        for run in _runs(held) if lengths
        for length in lengths
        for at in range(len(run) - length + 1)
        if run[at : at + length] in numbers
    }  # fmt: skip
    begins: dict[bytes, list[tuple[bytes, str]]] = {}
    for value, name in values.items():
        for form in written(value) if value.upper() not in numbers else ():
            begins.setdefault(form[:_LEAST_BYTES], []).append((form, name))
    for at in range(len(held) - _LEAST_BYTES + 1 if begins else 0):
        for form, name in begins.get(held[at : at + _LEAST_BYTES], ()):
            if held.startswith(form, at):
                hits.add(name)
    return hits


def written(value: str) -> set[bytes]:
    """The bytes by which a file, an answer or a URL may hold a text."""
    forms: set[bytes] = set()
    for text in (value, " ".join(value), value.translate(_WIDE)):
        forms |= {text.encode(code) for code in ("utf-8", "utf-16-le", "gb18030")}
        forms |= {quote(text, encoding=code).encode() for code in ("utf-8", "gb18030")}
        forms |= {quote(text).lower().encode(), json.dumps(text).strip('"').encode()}
        forms |= {json.dumps(text).strip('"').upper().replace("\\U", "\\u").encode()}
        forms |= {text.encode("ascii", "xmlcharrefreplace"), text.encode("unicode_escape")}
    return {form for form in forms if len(form) >= _LEAST_BYTES}


def _runs(held: bytes) -> Iterator[str]:
    """Runs of digits as they are read: without what stands between them, in plain width."""
    for text in _readings(held):
        folded = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
        yield from (run.upper() for run in re.findall(r"\d{11,}[Xx]?|\d{17}[Xx]", folded))


def _readings(held: bytes) -> Iterator[str]:
    yield held.decode("utf-8", "replace")
    yield held.decode("utf-16-le", "replace")
    yield held[1:].decode("utf-16-le", "replace")
    yield held.decode("gb18030", "replace")
    unescaped = _JSON_ESCAPE.sub(lambda one: chr(int(one[1], 16)), held.decode("latin-1"))
    yield html.unescape(unescaped)
    if b"%" in held:
        yield unquote_to_bytes(held).decode("utf-8", "replace")
