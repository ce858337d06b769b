"""What an explanation consists of, whatever kind of policy decided.

For the author of the policy, never for the caller: it names facts and their values.
"""

from dataclasses import dataclass

from acl_engine.domain.decision import Decision
from acl_engine.domain.text import Lang, Message, Text

FACT = Text("explain.fact", "事实：{text}（{values}）", "fact: {text} ({values})")


@dataclass(frozen=True, slots=True)
class Fact:
    """One comparison and the values it read; `holds` is None where a value was missing."""

    text: str
    values: tuple[tuple[str, str], ...]
    holds: bool | None

    def line(self) -> Message:
        return FACT.of(text=self.text, values=", ".join(f"{k}={v}" for k, v in self.values))


@dataclass(frozen=True, slots=True)
class Reading:
    """One row and the facts that speak for it or against it."""

    rule: str
    said: Message
    facts: tuple[Fact, ...]
    lacking: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision, and what of the policy and of the facts made it."""

    decision: Decision
    readings: tuple[Reading, ...]

    def render(self, lang: Lang = "en") -> str:
        """Lines for people: the decision, then each row with its facts."""
        lines = [self.decision.reason.render(lang)]
        for reading in self.readings:
            lines.append("  " + reading.said.render(lang))
            lines += ["    " + one.render(lang) for one in reading.lacking]
            lines += ["    " + fact.line().render(lang) for fact in reading.facts]
        return "\n".join(lines)
