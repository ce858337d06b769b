"""Words of a scenario turned into the world's: facts named, variables filled in.

${victim.phone}  ${p1.waybill_no}      a param's fact
${insider.account} .phone .password .totp   an actor's own; the last two must be known
${learned.waybill_no}                  every record number that the actor knows, one by one
${http.NAME}                           what an `http` step kept of an answer
${made.NAME}                           what an act made: a case, a ticket
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from acl_engine.replay.knowledge import Fact, Mind
from acl_engine.replay.scenario import Scenario
from acl_engine.replay.vocabulary import Vocabulary
from acl_engine.replay.world.entry import Entry

VARIABLE = re.compile(r"\$\{([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_-]*)\}")
LEARNED, KEPT, MADE = "learned", "http", "made"
ACTOR_WORDS = ("account", "phone", "password", "totp")
_SECRETS = ("password", "totp")


class Words:
    """`secret` gives an account's password or its code of the moment."""

    def __init__(
        self,
        scenario: Scenario,
        entities: Mapping[str, tuple[Entry, ...]],
        vocabulary: Vocabulary,
        secret: Callable[[str, str], str],
    ) -> None:
        self._field = vocabulary.field
        self._actors = scenario.actors
        self._entities = entities
        self._secret = secret

    def facts(self, word: str) -> list[Fact]:
        """`victim.phone` -> the facts of every record of theirs; `p1.waybill_no` -> one."""
        name, attribute = word.split(".")
        wanted = self._field(attribute)
        if name in self._actors:
            return [Fact(self._actors[name].account or name, attribute)]
        return [Fact(entry.key, wanted) for entry in self._entities.get(name, ())]

    def value(self, name: str, attribute: str) -> str:
        """The true value of a param's fact or of an actor's own."""
        if name in self._actors:
            return self._own(name, attribute)
        entry = self._entities[name][0]
        wanted = self._field(attribute)
        return entry.key if wanted == entry.key_field else entry.fields[wanted]

    def plain(self, text: str) -> str:
        """The text with true values: for what happens, which needs nobody's knowledge."""
        return VARIABLE.sub(lambda found: self.value(found[1], found[2]), text)

    def account(self, name: str) -> str:
        """The login of an actor; a login as it is."""
        actor = self._actors.get(name)
        return (actor.account or name) if actor else name

    def known(self, texts: Sequence[str], mind: Mind) -> Iterator[tuple[str, ...]]:
        """The texts as an actor can fill them in; several times for what was learned; not at all
        when something is not known."""
        if not any(f"${{{LEARNED}." in text for text in texts):
            filled = tuple(self._filled(text, mind, "") for text in texts)
            if None not in filled:
                yield tuple(text or "" for text in filled)
            return
        wanted = {
            attribute
            for text in texts
            for name, attribute in VARIABLE.findall(text)
            if name == LEARNED
        }
        for number in sorted({number for field in wanted for number in mind.numbers(field)}):
            filled = tuple(self._filled(text, mind, number) for text in texts)
            if None not in filled:
                yield tuple(text or "" for text in filled)

    def _filled(self, text: str, mind: Mind, learned: str) -> str | None:
        missing = False

        def value(match: re.Match[str]) -> str:
            nonlocal missing
            name, attribute = match[1], match[2]
            if name == LEARNED:
                return learned
            if name in (KEPT, MADE):
                missing |= attribute not in mind.kept
                return mind.kept.get(attribute, "")
            if name not in self._actors or attribute in _SECRETS:
                missing |= not any(mind.knows(fact) for fact in self.facts(f"{name}.{attribute}"))
            return "" if missing else self.value(name, attribute)

        filled = VARIABLE.sub(value, text)
        return None if missing else filled

    def _own(self, name: str, attribute: str) -> str:
        actor = self._actors[name]
        if attribute == "phone":
            return actor.phone or ""
        account = actor.account or name
        return self._secret(account, attribute) if attribute in _SECRETS else account
