"""What a command says of what was typed: not a person's data, typed into the wrong place."""

import sys

from acl_engine.masking.quoting import without_typed


def unquoted(text: str) -> str:
    """A text without those words of the command line that look personal."""
    return without_typed(text, sys.argv[1:])
