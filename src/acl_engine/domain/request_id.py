"""The id of a request: what is told of a denial, and found again in the audit log."""

import re
import secrets

# The shortest number that a message hides has seven figures.
_FIGURES = re.compile(r"\d{7}|\d+e\d+$")


def new_request_id() -> str:
    """16 hexadecimal signs, 64 random bits but for a few: none that might pass for a telephone
    number, for messages hide those (`domain.text`, `masking.quoting`)."""
    while _FIGURES.search(found := secrets.token_hex(8)):
        pass
    return found
