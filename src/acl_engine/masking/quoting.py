"""What is said back to somebody who typed personal data into the wrong place: not that data.

`Text.of` hides numbers in every message. Here names and addresses go too, where messages leave:
the command line, which knows the words that were typed, and the answers over HTTP.
"""

from collections.abc import Iterable
from dataclasses import replace

from acl_engine.domain.text import HIDDEN, Message
from acl_engine.masking.shape import clean
from acl_engine.masking.suspect import holds_number, looks_personal


def without_typed(said: str, typed: Iterable[str]) -> str:
    """A text without those typed words that look personal, alone or as the value of an option."""
    words = {part for word in typed for part in (word, word.partition("=")[2]) if part}
    for word in sorted(words, key=len, reverse=True):
        if word in said and _personal(word):
            said = said.replace(word, HIDDEN)
    return said


def without_quotes(message: Message) -> Message:
    """A message without the parameters that look personal."""
    kept = tuple((name, HIDDEN if _personal(v) else v) for name, v in message.params)
    return message if kept == message.params else replace(message, params=kept)


def _personal(value: str) -> bool:
    """A number, or a name or address in Chinese: a short word in Latin letters is an option or a
    login far more often than a name, and who mistyped one must see which."""
    text = clean(value)
    if holds_number(text):
        return True
    return any("\u3400" <= sign <= "\u9fff" for sign in text) and looks_personal(text)
