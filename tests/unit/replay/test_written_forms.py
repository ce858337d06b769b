"""The search for seeded values finds them however they are written, or 0 found means nothing."""

import json
from urllib.parse import quote

import pytest
from tests.seeded import found

PHONE, ID, NAME, PLACE = (
    "19293581421",
    "44030620990503498X",
    "姜华和",
    "龙华街道蚝乡公寓11栋4单元208",
)
VALUES = {PHONE: "phone", ID: "id", NAME: "name", PLACE: "place"}
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


PLAIN = [PHONE, "192 9358 1421", "192-9358-1421", "+86 192 9358 1421", "008619293581421"]
PLAIN += [PHONE.translate(WIDE), f"call {PHONE}, or x"]
ESCAPES = ("\\u{:04x}", "%{:02X}", "&#{};")


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "gb18030"])
def test_a_phone_is_found_in_every_form(text: str, code: str) -> None:
    assert found(b"\x00\xff\x10\n" + text.encode(code), VALUES) == {"phone"}


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_phone_is_found_behind_escapes(escape: str) -> None:
    held = "".join(escape.format(ord(one)) for one in PHONE)
    assert found(f"<{held}>".encode(), VALUES) == {"phone"}


@pytest.mark.parametrize(
    "text", [ID, ID.lower(), "440306 2099 0503 498X", "440306-20990503-498X", ID.translate(WIDE)]
)
def test_an_id_is_found_in_every_form(text: str) -> None:
    assert found(f"<{text}>".encode(), VALUES) == {"id"}


@pytest.mark.parametrize("value", [NAME, PLACE])
def test_a_text_is_found_in_every_form(value: str) -> None:
    forms = [value, " ".join(value), json.dumps(value), quote(value), quote(value).lower()]
    forms += [value.encode("ascii", "xmlcharrefreplace").decode(), value.translate(WIDE)]
    held = [form.encode() for form in forms]
    held += [value.encode(code) for code in ("utf-16-le", "gb18030")]
    held += [quote(value, encoding="gb18030").encode()]
    for one in held:
        assert found(b"\xff" + one + b"\x00", VALUES) == {VALUES[value]}, one


def test_what_is_not_there_is_not_found() -> None:
    """Another number, a number cut short, a name in halves."""
    assert found("19293581422 1929358142 姜华 44030620990503498".encode(), VALUES) == set()
