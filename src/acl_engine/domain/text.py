"""What people read comes as a code plus parameters, with a text in Chinese and in English.

A `Text` is declared once, next to the code that says it; a `Message` is a text with its
parameters, and is what errors, reasons and reports carry. A test walks every module and checks
that each text has both languages and that both use the same parameters.

INVARIANTS
- No message holds a mobile or identity number: a parameter is what somebody typed, and people type
  into the wrong place. The two ways out (`masking.quoting`) also hide names and addresses.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from acl_engine.domain.borrowed import NAMED, in_chinese

Lang = Literal["zh", "en"]

HIDDEN = "***"
# Mobile numbers, identity numbers of 18 and 15 places. A letter before the first digit makes it
# another kind of number (a waybill's).
_NUMBER = re.compile(
    r"(?<!\w)(?:(?:\+|00)?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\w)"
    r"|(?<!\w)\d{17}[\dXx](?!\w)|(?<!\w)\d{15}(?!\w)",
    re.ASCII,
)
_SHORTEST = 11


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages. `code` is stable: tests, SARIF and the audit log name it.

    `zh` and `en` are `str.format` templates; a hint says what to do next and stands apart.
    """

    code: str
    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""

    def of(self, **params: object) -> "Message":
        """The text with its parameters. Parameters must never hold personal data; numbers that
        look like it are hidden."""
        return Message(self, tuple(sorted((k, _harmless(str(v))) for k, v in params.items())))


@dataclass(frozen=True, slots=True)
class Message:
    """A text and its parameters; renders in either language."""

    text: Text
    params: tuple[tuple[str, str], ...] = field(default=())

    @property
    def code(self) -> str:
        return self.text.code

    def render(self, lang: Lang = "en") -> str:
        template = self.text.zh if lang == "zh" else self.text.en
        return template.format(**self._filled(template, lang))

    def hint(self, lang: Lang = "en") -> str:
        template = self.text.hint_zh if lang == "zh" else self.text.hint_en
        return template.format(**self._filled(template, lang))

    def _filled(self, template: str, lang: Lang) -> dict[str, str]:
        """What somebody wrote, between backticks, stays; what a library said is translated."""
        return {
            name: in_chinese(value)
            if lang == "zh" and name in NAMED and f"`{{{name}}}`" not in template
            else value
            for name, value in self.params
        }

    def __str__(self) -> str:
        return self.render("en")


def _harmless(value: str) -> str:
    return value if len(value) < _SHORTEST else _NUMBER.sub(HIDDEN, value)
