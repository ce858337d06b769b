"""The language asked for, also where the command line could not be read."""

import os
import sys

from acl_engine.domain.text import Lang


def wanted_language() -> Lang:
    """Of `--lang` among the words that were typed, else of ACL_LANG; English without either."""
    words = iter(sys.argv[1:])
    said = os.environ.get("ACL_LANG")
    for word in words:
        if word == "--lang":
            said = next(words, said)
        elif word.startswith("--lang="):
            said = word.partition("=")[2]
    return "zh" if said == "zh" else "en"
